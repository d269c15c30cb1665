/**
 * The one JSON layout in which objects are stored and cached, so that bytes can be spliced, not
 * parsed.
 *
 * Shapes  {"kind":"Pod","apiVersion":"v1","metadata":{…},…}: kind and apiVersion first, metadata
 *         third.
 *         A stored value has no resourceVersion (etcd's revision is it); a served one has it as the
 *         first member of metadata. A list item is the served bytes from `"metadata"` on.
 * Source  staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go (PrepareObjectForStorage)
 */
import type { KubeObject } from "@nanokube/machinery";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Layout {
  kind: string;
  apiVersion: string;
  /** Offset of the quote that opens `"metadata"`. */
  bodyAt: number;
  /** The bytes up to and with the brace that opens metadata. */
  lead: Uint8Array;
}

const kindLead = encoder.encode('{"kind":"');
const versionLead = encoder.encode('","apiVersion":"');
const metadataLead = encoder.encode('","metadata":{');
const quote = 0x22;
const backslash = 0x5c;
const closingBrace = 0x7d;

/** Stored form of an object: canonical order, no resourceVersion. */
export function encodeStored(object: KubeObject): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _version, selfLink: _link, ...stored } = metadata ?? {};
  return encoder.encode(JSON.stringify({ kind, apiVersion, metadata: stored, ...rest }));
}

export function parseTree(bytes: Uint8Array): KubeObject {
  return JSON.parse(decoder.decode(bytes)) as KubeObject;
}

/** Undefined when the bytes are JSON in another order, or not JSON. */
export function layoutOf(bytes: Uint8Array, like?: Layout): Layout | undefined {
  // Objects of a kind begin alike: one layout serves them all.
  if (like !== undefined && startsWith(bytes, like.lead, 0)) return like;
  if (!startsWith(bytes, kindLead, 0)) return undefined;
  const kindEnd = endOfWord(bytes, kindLead.length);
  if (kindEnd < 0 || !startsWith(bytes, versionLead, kindEnd)) return undefined;
  const versionStart = kindEnd + versionLead.length;
  const versionEnd = endOfWord(bytes, versionStart);
  if (versionEnd < 0 || !startsWith(bytes, metadataLead, versionEnd)) return undefined;
  return {
    kind: decoder.decode(bytes.subarray(kindLead.length, kindEnd)),
    apiVersion: decoder.decode(bytes.subarray(versionStart, versionEnd)),
    bodyAt: versionEnd + 2,
    lead: bytes.slice(0, versionEnd + metadataLead.length),
  };
}

/** Adds the resourceVersion; `stored` must have the layout given. */
export function withRevision(stored: Uint8Array, layout: Layout, revision: number): Uint8Array {
  const at = layout.bodyAt + '"metadata":{'.length;
  const member = encoder.encode(revisionMember(revision, stored[at] === closingBrace));
  const served = new Uint8Array(stored.length + member.length);
  served.set(stored.subarray(0, at), 0);
  served.set(member, at);
  served.set(stored.subarray(at), at + member.length);
  return served;
}

/** What a served object has more than the stored one. */
function revisionMember(revision: number, isOnly: boolean): string {
  return `"resourceVersion":"${revision}"${isOnly ? "" : ","}`;
}

/** Is `served` the stored object with this resourceVersion? */
export function isServedForm(
  served: Uint8Array,
  stored: Uint8Array,
  layout: Layout,
  revision: number,
): boolean {
  const at = layout.bodyAt + '"metadata":{'.length;
  const more = revisionMember(revision, stored[at] === closingBrace).length;
  if (served.length !== stored.length + more) return false;
  for (let i = 0; i < at; i++) if (stored[i] !== served[i]) return false;
  for (let i = at; i < stored.length; i++) if (stored[i] !== served[i + more]) return false;
  return true;
}

/** The same object with another resourceVersion: what a deletion's event shows. */
export function replaceRevision(
  served: Uint8Array,
  layout: Layout,
  from: number,
  to: number,
): Uint8Array {
  const at = layout.bodyAt + '"metadata":{"resourceVersion":"'.length;
  const digits = encoder.encode(String(to));
  const after = at + String(from).length;
  const replaced = new Uint8Array(served.length - (after - at) + digits.length);
  replaced.set(served.subarray(0, at), 0);
  replaced.set(digits, at);
  replaced.set(served.subarray(after), at + digits.length);
  return replaced;
}

/** Served form straight from a tree. */
export function encodeServed(object: KubeObject, revision: number): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _version, ...others } = metadata ?? {};
  const served = { resourceVersion: String(revision), ...others };
  return encoder.encode(JSON.stringify({ kind, apiVersion, metadata: served, ...rest }));
}

function startsWith(bytes: Uint8Array, lead: Uint8Array, at: number): boolean {
  if (bytes.length < at + lead.length) return false;
  for (let i = 0; i < lead.length; i++) if (bytes[at + i] !== lead[i]) return false;
  return true;
}

function endOfWord(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(quote, from);
  return end < 0 || bytes.subarray(from, end).includes(backslash) ? -1 : end;
}
