/** Updates: versions, uids, names, system fields. */
import type { CorpusCase } from "../corpus-case.ts";
import { type Kind, request, withMeta } from "./kind.ts";

export function updating(kind: Kind): CorpusCase[] {
  const { one, all, object } = kind;
  const rv = { resourceVersion: "$rv()" };
  const put = (name: string, body: unknown, query = "", path = one) =>
    request(`update: ${name}`, "PUT", `${path}${query}`, body);
  return [
    put("without a version", object, "?dryRun=All"),
    put("of a version that is gone", withMeta(kind, { resourceVersion: "1" })),
    put("of a version that is no number", withMeta(kind, { resourceVersion: "abc" })),
    put("of another uid", withMeta(kind, { ...rv, uid: "other" })),
    put("under another name", withMeta(kind, { name: "other" })),
    put("without a name", withMeta(kind, { name: null })),
    put("in another namespace", withMeta(kind, { namespace: "elsewhere" })),
    put(
      "what is not there",
      withMeta(kind, { name: "not-there", uid: "u" }),
      "",
      `${all}/not-there`,
    ),
    put(
      "what is not there, of a version",
      withMeta(kind, { name: "not-there", resourceVersion: "5" }),
      "",
      `${all}/not-there`,
    ),
    request("get before the updates", "GET", one),
    put("nothing changed", withMeta(kind, rv)),
    put(
      "labels",
      withMeta(kind, { ...rv, labels: { corpus: "1", more: "2" }, annotations: { a: "b" } }),
    ),
    put(
      "system fields",
      withMeta(kind, {
        creationTimestamp: "2020-01-01T00:00:00Z",
        generation: 77,
        deletionTimestamp: "2020-01-01T00:00:00Z",
        deletionGracePeriodSeconds: 5,
        resourceVersion: "$rv()",
      }),
      "?dryRun=All",
    ),
    put(
      "bad metadata",
      withMeta(kind, {
        resourceVersion: "$rv()",
        labels: { "a b": "c d" },
        finalizers: ["x y"],
        generateName: "z",
      }),
      "?dryRun=All",
    ),
  ];
}
