/**
 * One request of the corpus, and how its answer is kept.
 *
 * Shapes  a path or body may hold `$rv(CASE)` and `$name(CASE)`: the resourceVersion and the name
 *         that the case of that name, of the same kind, was answered with; `$rv()` is
 *         the version in the latest answer that was an object
 */
import type { RestRequest } from "../subjects/apiserver.ts";

export type Tree = Record<string, unknown>;

export interface CorpusCase extends RestRequest {
  /** Unique within its kind. */
  name: string;
  /** Body and answer travel in protobuf. */
  protobuf?: true;
  /** A read that waits until the server itself is done with the object. */
  settles?: true;
  /** A read that takes its time and depends on nothing near it: asked beside its like. */
  beside?: true;
}

/** The store forgets its history: a request to no server, but to what is behind it. */
export const compaction = "COMPACT";

/** Requests in an order, about one kind (or one topic), in a namespace of their own. */
export interface CorpusGroup {
  name: string;
  cases: readonly CorpusCase[];
  /** Asked of a server that serves the beta versions, too. */
  beta?: true;
}

/** What is compared. */
export interface CorpusAnswer {
  status: number;
  /** Absent: application/json. */
  type?: string;
  /** Content-Encoding and Vary, where there are any. */
  encoding?: string;
  warnings?: readonly string[];
  body: unknown;
}

export const contentType = (type: string): Record<string, string> => ({ "content-type": type });
export const mergePatch = contentType("application/merge-patch+json");
export const strategicPatch = contentType("application/strategic-merge-patch+json");
export const jsonPatch = contentType("application/json-patch+json");
export const applyPatch = contentType("application/apply-patch+yaml");

export const yaml = contentType("application/yaml");

export const accept = (kind: string): Record<string, string> => ({
  accept: `application/json;as=${kind};v=v1;g=meta.k8s.io`,
});

/** JSON merge patch (RFC 7396). */
export function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const isTree = typeof target === "object" && target !== null && !Array.isArray(target);
  const result: Tree = isTree ? { ...(target as Tree) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** A number made of a text, the same for ever: FNV-1a. It chooses among many cases. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
