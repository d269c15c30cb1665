/** Changing an object that others hold on to. */
import type { KubeObject } from "@nanokube/machinery";

/** The object stays the same object; its fields become those of `changed`. */
export function become(object: KubeObject, changed: KubeObject): void {
  for (const key of Object.keys(object)) delete (object as unknown as Record<string, unknown>)[key];
  Object.assign(object, changed);
}
