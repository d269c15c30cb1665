/** The status subresource. */
import { accept, applyPatch, type CorpusCase, merged, mergePatch } from "../corpus-case.ts";
import { statuses } from "../objects/statuses.ts";
import { type Kind, request, settling } from "./kind.ts";

export function statusWriting(kind: Kind): CorpusCase[] {
  const { resource, one, object } = kind;
  if (!resource.subresources?.some(({ name }) => name === "status")) return [];
  const status = statuses[resource.plural] ?? {};
  const at = `${one}/status`;
  const changed = merged(object, {
    metadata: {
      resourceVersion: "$rv()",
      labels: { viaStatus: "1" },
      annotations: { viaStatus: "1" },
    },
    status,
  });
  return [
    request("status: get", "GET", at),
    request("status: put", "PUT", at, changed),
    ...settling("status: put", kind),
    request(
      "status: patch",
      "PATCH",
      at,
      { metadata: { labels: { s: "1" } }, status, spec: {} },
      mergePatch,
    ),
    ...settling("status: patch", kind),
    request("status: patch away", "PATCH", `${at}?dryRun=All`, { status: null }, mergePatch),
    request("status: of a wrong type", "PATCH", at, { status: 5 }, mergePatch),
    request("status: bogus", "PATCH", at, { status: { bogus: 1 } }, mergePatch),
    request(
      "status: apply",
      "PATCH",
      `${at}?fieldManager=s&force=true`,
      { apiVersion: object.apiVersion, kind: object.kind, status },
      applyPatch,
    ),
    ...settling("status: apply", kind),
    request("status: create", "POST", at, object),
    request("status: delete", "DELETE", at),
    request("status: through the object", "PATCH", one, { status: null }, mergePatch),
    ...settling("status: through the object", kind),
    request("get as a table, with status", "GET", one, undefined, accept("Table")),
  ];
}
