/**
 * metadata.managedFields: who set which field.
 *
 * Source  apimachinery pkg/util/managedfields, apiserver pkg/endpoints/handlers/fieldmanager
 */
import { deepEqual, type KubeObject } from "@nanokube/machinery";
import type { RestContext } from "./context.ts";
import type { WriteOptions } from "./options.ts";

/** The manager when the caller names none: what stands before the slash in its user agent. */
export function managerOf(context: RestContext, options: Pick<WriteOptions, "fieldManager">): string {
  if (options.fieldManager !== "") return options.fieldManager;
  const agent = (context.request.headers["user-agent"] ?? "").split("/")[0]!;
  return agent.replace(/[^\P{C}]/gu, "").slice(0, 128);
}

/** Records what this write changed under the caller's name. */
export function trackUpdate(
  _context: RestContext,
  current: KubeObject | undefined,
  object: KubeObject,
  _options: WriteOptions,
): void {
  const managed = current?.metadata?.managedFields;
  if (object.metadata === undefined) return;
  if (managed === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = managed;
}

/** True when only the times in managedFields differ, which is no change at all. */
export function sameButTimestamps(object: KubeObject, old: KubeObject): boolean {
  const now = object.metadata?.managedFields ?? [];
  const before = old.metadata?.managedFields ?? [];
  if (now.length !== before.length) return false;
  const same = now.every((entry, i) => {
    const { time: _now, ...rest } = entry;
    const { time: _before, ...restBefore } = before[i]!;
    return deepEqual(rest, restBefore);
  });
  if (same && before.length > 0) object.metadata!.managedFields = before;
  return same;
}
