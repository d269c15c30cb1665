/** Deletions: options, finalizers, collections. */
import { type CorpusCase, mergePatch, type Tree } from "../corpus-case.ts";
import { type Kind, request, settling } from "./kind.ts";

export function deleting(kind: Kind): CorpusCase[] {
  const { one, all } = kind;
  const remove = (name: string, options?: Tree, query = "", path = one) =>
    request(
      `delete: ${name}`,
      "DELETE",
      `${path}${query}`,
      options === undefined ? undefined : { kind: "DeleteOptions", apiVersion: "v1", ...options },
    );
  return [
    remove("not there", undefined, "", `${all}/not-there`),
    remove("of another uid", { preconditions: { uid: "other" } }),
    remove("of another version", { preconditions: { resourceVersion: "1" } }),
    remove("bad policy", { propagationPolicy: "Sideways" }),
    remove("policy and orphan", { propagationPolicy: "Orphan", orphanDependents: true }),
    remove("bad dry run", { dryRun: ["Some"] }),
    remove("dry", { dryRun: ["All"] }),
    remove("wrong type", { gracePeriodSeconds: "x" }),
    remove("other kind", { kind: "Other" }),
    remove("bad query", undefined, "?gracePeriodSeconds=x"),
    request(
      "delete: set a finalizer",
      "PATCH",
      one,
      { metadata: { finalizers: ["example.com/wait"] } },
      mergePatch,
    ),
    remove("that has to wait", { propagationPolicy: "Background" }),
    ...settling("delete: that has to wait", kind),
    remove("again", {}),
    request(
      "delete: another finalizer",
      "PATCH",
      one,
      { metadata: { finalizers: ["example.com/wait", "example.com/more"] } },
      mergePatch,
    ),
    request(
      "delete: labels while it goes",
      "PATCH",
      one,
      { metadata: { labels: { going: "1" } } },
      mergePatch,
    ),
    request("delete: no finalizer", "PATCH", one, { metadata: { finalizers: null } }, mergePatch),
    request("delete: is it gone", "GET", one),
    remove("what is gone", {}, "?gracePeriodSeconds=0"),
    request("delete: the collection, dry", "DELETE", `${all}?labelSelector=corpus%3D1&dryRun=All`),
    request("delete: the collection", "DELETE", `${all}?labelSelector=corpus%3D1`),
    request("delete: what is left", "GET", `${all}?labelSelector=corpus%3D1`),
  ];
}
