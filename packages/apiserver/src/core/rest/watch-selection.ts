/** Whose changes a watcher is shown, and of whose it is told at all. */
import type { StoredObject } from "../cache/stored-object.ts";
import { namespaceOf, type RestContext } from "./context.ts";
import { type ListOptions, predicateOf } from "./list-options.ts";

export function selection(
  context: RestContext,
  options: ListOptions,
): (object: StoredObject) => boolean {
  const { info, resource } = context;
  const namespace = namespaceOf(context);
  const prefix = resource.info.namespaced && namespace !== "" ? `${namespace}/` : "";
  const selects = predicateOf(options);
  // GET /watch/…/NAME, the old way to watch one object.
  const name = info.parts.length > 1 ? info.name : "";
  return (object) =>
    object.key.startsWith(prefix) &&
    (name === "" || object.name === name) &&
    (selects === undefined || selects(object));
}

/** A kubelet's watch of its own pods is told of few: upstream does not count it. */
export function interestOf({ info, request }: RestContext): string | undefined {
  const node = /(?:^|,)spec\.nodeName==?([^,]*)/.exec(request.query.get("fieldSelector") ?? "");
  if (info.resource === "pods" && node !== null && node[1] !== "") return undefined;
  const namespace = info.namespace === "" ? "" : `${info.namespace}/`;
  return info.name === "" ? namespace : `${info.namespace}/${info.name}`;
}
