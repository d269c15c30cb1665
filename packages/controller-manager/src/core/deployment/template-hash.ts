/**
 * pod-template-hash: the same template gives the same label, another collision count another.
 *
 * FNV-1a over canonical JSON, in the alphabet that upstream encodes its hashes with. The value
 * differs from upstream's (that hashes a Go print of the struct); nobody computes it but the
 * controller, which finds its ReplicaSets by comparing templates, so either controller takes over
 * the other's.
 *
 * Source  pkg/controller/controller_utils.go ComputeHash; apimachinery util/rand SafeEncodeString
 */
import type { PodTemplateSpec } from "@nanokube/api/core/v1";
import { deepEqual } from "@nanokube/machinery";

const alphabet = "bcdfghjklmnpqrstvwxz2456789";

export function templateHash(template: unknown, collisionCount: number | undefined): string {
  const hash = fnv1a(
    canonical(template) + (collisionCount === undefined ? "" : `#${collisionCount}`),
  );
  return safeEncode(String(hash));
}

/** No vowels and no lookalikes: never a word. */
export function safeEncode(text: string): string {
  return [...text].map((c) => alphabet[c.charCodeAt(0) % alphabet.length]).join("");
}

export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

/** JSON with sorted keys and without nulls. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined && field !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(",")}}`;
}

export const templateHashLabel = "pod-template-hash";

/** Do both make the same pods? */
export function sameTemplate(a: PodTemplateSpec = {}, b: PodTemplateSpec = {}): boolean {
  return deepEqual(bare(a), bare(b));
}

function bare(template: PodTemplateSpec): PodTemplateSpec {
  const { labels, annotations, ...rest } = template.metadata ?? {};
  const { [templateHashLabel]: _, ...kept } = labels ?? {};
  const { creationTimestamp: __, ...metadata } = rest;
  return {
    metadata: { ...metadata, labels: kept, annotations: annotations ?? {} },
    spec: template.spec ?? {},
  };
}
