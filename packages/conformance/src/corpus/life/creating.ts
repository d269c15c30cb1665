/** Creations: one that is right, and what metadata and body may not be. */
import { type CorpusCase, merged } from "../corpus-case.ts";
import { statuses } from "../objects/statuses.ts";
import { type Kind, request, withMeta } from "./kind.ts";

function naming(kind: Kind): CorpusCase[] {
  const { all, object } = kind;
  const post = (name: string, body: unknown, query = "") =>
    request(`create: ${name}`, "POST", `${all}${query}`, body);
  const dry = "?dryRun=All";
  return [
    post("as it should be", object),
    post("again", object),
    { ...post("in protobuf", withMeta(kind, { name: "y" }), dry), protobuf: true },
    post("nothing", {}),
    post("not an object", "[]"),
    post("cut off", '{"metadata":'),
    post("no body", ""),
    post("of another kind", { ...object, kind: "Other" }),
    post("of another version", { ...object, apiVersion: "other.example.com/v1" }),
    post(
      "without kind",
      merged(object, { kind: null, apiVersion: null, metadata: { name: "y" } }),
      dry,
    ),
    post("without a name", withMeta(kind, { name: null }), dry),
    post("a bad name", withMeta(kind, { name: "A_b" }), dry),
    post("a long name", withMeta(kind, { name: "n".repeat(260) }), dry),
    post("a name with a slash", withMeta(kind, { name: "a/b" }), dry),
    post("a generated name", withMeta(kind, { name: null, generateName: "gen-" }), dry),
    post("a bad generated name", withMeta(kind, { name: null, generateName: "Gen_" }), dry),
    post("in another namespace", withMeta(kind, { name: "y", namespace: "elsewhere" }), dry),
    post(
      "with an unknown field, strict",
      { ...withMeta(kind, { name: "y" }), bogus: 1 },
      `${dry}&fieldValidation=Strict`,
    ),
    post("with an unknown field", { ...withMeta(kind, { name: "y", bogus: { a: 1 } }) }, dry),
  ];
}

function metadata(kind: Kind): CorpusCase[] {
  const { all, resource } = kind;
  const post = (name: string, body: unknown, query = "") =>
    request(`create: ${name}`, "POST", `${all}${query}`, body);
  const dry = "?dryRun=All";
  return [
    post("bad labels", withMeta(kind, { name: "y", labels: { "a b": "c d" } }), dry),
    post("bad annotations", withMeta(kind, { name: "y", annotations: { "a b": "c" } }), dry),
    post("a label of a wrong type", withMeta(kind, { name: "y", labels: { a: 1 } }), dry),
    post(
      "bad owners",
      withMeta(kind, {
        name: "y",
        ownerReferences: [{}, { apiVersion: "v1", kind: "Event", name: "e", uid: "u" }],
      }),
      dry,
    ),
    post(
      "two controllers",
      withMeta(kind, {
        name: "y",
        ownerReferences: ["a", "b"].map((name) => ({
          apiVersion: "v1",
          kind: "Pod",
          name,
          uid: name,
          controller: true,
        })),
      }),
      dry,
    ),
    post(
      "bad finalizers",
      withMeta(kind, { name: "y", finalizers: ["bare", "a b", "example.com/ok"] }),
      dry,
    ),
    post(
      "system fields set",
      withMeta(kind, {
        name: "y",
        uid: "u",
        creationTimestamp: "2020-01-01T00:00:00Z",
        deletionTimestamp: "2020-01-01T00:00:00Z",
        generation: 9,
        selfLink: "/x",
      }),
      dry,
    ),
    post("with a version", withMeta(kind, { name: "y", resourceVersion: "5" }), dry),
    post(
      "managed fields that are wrong",
      withMeta(kind, {
        name: "y",
        managedFields: [{ manager: "a b", operation: "Foo", fieldsType: "X" }],
      }),
      dry,
    ),
    post(
      "with a status",
      { ...withMeta(kind, { name: "y" }), status: statuses[resource.plural] ?? { a: 1 } },
      dry,
    ),
  ];
}

export function creating(kind: Kind): CorpusCase[] {
  return [...naming(kind), ...metadata(kind)];
}
