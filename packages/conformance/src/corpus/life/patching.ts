/** Patches of the four kinds, and what is wrong with them. */
import {
  applyPatch,
  type CorpusCase,
  contentType,
  jsonPatch,
  mergePatch,
  strategicPatch,
  type Tree,
} from "../corpus-case.ts";
import { type Kind, request } from "./kind.ts";

export function patching({ one, all, object }: Kind): CorpusCase[] {
  const patch = (
    name: string,
    headers: Record<string, string>,
    body: unknown,
    query = "",
    path = one,
  ) => request(`patch: ${name}`, "PATCH", `${path}${query}`, body, headers);
  const labels = { metadata: { labels: { patched: "1" } } };
  const applied = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name: (object.metadata as Tree).name, labels: { applied: "1" } },
  };
  return [
    patch("merge", mergePatch, labels),
    patch("merge, nothing changes", mergePatch, labels),
    patch("merge with null", mergePatch, { metadata: { labels: { patched: null } } }),
    patch("strategic", strategicPatch, labels),
    patch("strategic, bad directive", strategicPatch, {
      metadata: { labels: { $patch: "bogus" } },
    }),
    patch(
      "strategic, finalizers",
      strategicPatch,
      { metadata: { finalizers: ["example.com/a"] } },
      "?dryRun=All",
    ),
    patch("json", jsonPatch, [{ op: "add", path: "/metadata/labels/j", value: "1" }]),
    patch("json, test fails", jsonPatch, [{ op: "test", path: "/metadata/name", value: "no" }]),
    patch("json, no such path", jsonPatch, [{ op: "remove", path: "/metadata/nothing" }]),
    patch("json, no such operation", jsonPatch, [{ op: "frob", path: "/metadata/name" }]),
    patch("json, one object", jsonPatch, { op: "add" }),
    patch("the name", mergePatch, { metadata: { name: "other" } }),
    patch("the kind", mergePatch, { kind: "Other" }),
    patch("unknown field, strict", mergePatch, { bogus: 1 }, "?fieldValidation=Strict"),
    patch("unknown field", mergePatch, { bogus: 1 }, "?dryRun=All"),
    patch("wrong type", mergePatch, { metadata: { labels: [] } }),
    patch("not there", mergePatch, labels, "", `${all}/not-there`),
    patch("of no kind", contentType("application/json"), labels),
    patch("an old version", mergePatch, { metadata: { resourceVersion: "1" } }),
    patch("apply without manager", applyPatch, applied),
    patch("apply", applyPatch, applied, "?fieldManager=one"),
    patch(
      "apply, conflict",
      applyPatch,
      { ...applied, metadata: { ...applied.metadata, labels: { applied: "2" } } },
      "?fieldManager=two",
    ),
    patch(
      "apply, forced",
      applyPatch,
      { ...applied, metadata: { ...applied.metadata, labels: { applied: "2" } } },
      "?fieldManager=two&force=true",
    ),
    patch(
      "apply what is not there",
      applyPatch,
      { ...applied, metadata: { name: "not-there" } },
      "?fieldManager=one&dryRun=All",
      `${all}/not-there`,
    ),
    patch("apply an unknown field", applyPatch, { ...applied, bogus: 1 }, "?fieldManager=one"),
    patch(
      "apply managed fields",
      applyPatch,
      { ...applied, metadata: { ...applied.metadata, managedFields: [{ manager: "x" }] } },
      "?fieldManager=one",
    ),
  ];
}
