/**
 * ImagePolicyWebhook, on request: another server says which images may be used.
 *
 * Shapes  imagepolicy.k8s.io/v1alpha1 ImageReview; answers are kept for a time
 * Source  plugin/pkg/admission/imagepolicy/admission.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { Clock, KubeObject } from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

export interface ImagePolicy {
  review(review: KubeObject): Promise<KubeObject>;
  allowTTLMs: number;
  denyTTLMs: number;
  /** What is said while nobody answers. */
  defaultAllow: boolean;
}

interface Verdict {
  allowed?: boolean;
  reason?: string;
  auditAnnotations?: Record<string, string>;
}

const prefix = "imagepolicywebhook.image-policy.k8s.io/";
const answersKeptMax = 1024;

export function createImagePolicyWebhook(
  policy: ImagePolicy | undefined,
  clock: Clock,
): AdmissionPlugin {
  const kept = new Map<string, { verdict: Verdict; untilMs: number }>();
  const ask = async (policy: ImagePolicy, spec: object): Promise<Verdict> => {
    const key = JSON.stringify(spec);
    const known = kept.get(key);
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.verdict;
    const lead = { kind: "ImageReview", apiVersion: "imagepolicy.k8s.io/v1alpha1", metadata: {} };
    const answer = await policy.review({ ...lead, spec, status: { allowed: false } });
    const verdict = (answer.status ?? {}) as Verdict;
    const ttlMs = verdict.allowed ? policy.allowTTLMs : policy.denyTTLMs;
    if (kept.size >= answersKeptMax) kept.delete(kept.keys().next().value!);
    kept.set(key, { verdict, untilMs: clock.monotonic() + ttlMs });
    return verdict;
  };
  return {
    name: "ImagePolicyWebhook",
    handles: (attributes) =>
      ["CREATE", "UPDATE"].includes(attributes.operation) &&
      (isFor(attributes, "", "pods") || isFor(attributes, "", "pods", "ephemeralcontainers")),
    async validate(attributes) {
      if (policy === undefined) return;
      let verdict: Verdict;
      try {
        verdict = await ask(policy, specOf(attributes));
      } catch (error) {
        if (!policy.defaultAllow) throw refuse(attributes, (error as Error).message);
        attributes.annotate?.(`${prefix}failed-open`, "true");
        return;
      }
      for (const [key, value] of Object.entries(verdict.auditAnnotations ?? {})) {
        attributes.annotate?.(prefix + key, value);
      }
      if (verdict.allowed) return;
      const why = verdict.reason
        ? `image policy webhook backend denied one or more images: ${verdict.reason}`
        : "one or more images rejected by webhook backend";
      throw refuse(attributes, why);
    },
  };
}

function specOf({ subresource, object, namespace }: AdmissionAttributes): object {
  const { spec, metadata } = object as Pod;
  const containers =
    subresource === ""
      ? [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
      : (spec?.ephemeralContainers ?? []);
  const annotations = Object.entries(metadata?.annotations ?? {}).filter(([key]) =>
    key.includes(".image-policy.k8s.io/"),
  );
  return {
    containers: containers.map(({ image }) => ({ image })),
    ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}),
    namespace,
  };
}
