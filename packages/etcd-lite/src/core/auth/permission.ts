/**
 * Which keys a user may read and write: the permissions of all its roles, merged.
 *
 * Shapes  a permission's range end: empty is one key, one zero byte is "from the key on"
 *         spans are half-open and sorted; an end of "" is the end of all keys
 * Source  etcd v3.6 server/auth/range_perm_cache.go
 */
import type { etcd } from "@nanokube/rpc";
import { keyText } from "../bytes.ts";

export const permissionTypes = { read: 0, write: 1, readWrite: 2 } as const;

export interface Span {
  readonly from: string;
  to: string;
}

export interface MergedPermissions {
  readonly read: readonly Span[];
  readonly write: readonly Span[];
}

export function mergePermissions(permissions: readonly etcd.Permission[]): MergedPermissions {
  const spansOf = (other: number) =>
    mergeSpans(permissions.filter((p) => p.permType !== other).map(permissionSpan));
  return { read: spansOf(permissionTypes.write), write: spansOf(permissionTypes.read) };
}

function permissionSpan({ key, rangeEnd }: etcd.Permission): Span {
  return keySpan(keyText(key), keyText(rangeEnd));
}

function keySpan(key: string, rangeEnd: string): Span {
  if (rangeEnd === "") return { from: key, to: `${key}\0` };
  return { from: key, to: rangeEnd === "\0" ? "" : rangeEnd };
}

function mergeSpans(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = merged.at(-1);
    if (last === undefined || (last.to !== "" && last.to < span.from)) merged.push({ ...span });
    else if (isBeyond(span.to, last.to)) last.to = span.to;
  }
  return merged;
}

function isBeyond(end: string, other: string): boolean {
  return other !== "" && (end === "" || end > other);
}

/** Whether the whole of [key, rangeEnd) is inside one of the spans. */
export function isCovered(spans: readonly Span[], key: string, rangeEnd: string): boolean {
  const wanted = keySpan(key, rangeEnd);
  return spans.some((span) => span.from <= wanted.from && !isBeyond(wanted.to, span.to));
}

/** A role may be given these keys: some key, and not a range that holds none. */
export function isValidPermission({ key, rangeEnd }: etcd.Permission): boolean {
  if (key.length === 0) return false;
  const end = keyText(rangeEnd);
  return end === "" || end === "\0" || keyText(key) < end;
}
