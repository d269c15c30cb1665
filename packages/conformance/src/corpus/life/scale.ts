/** The scale subresource. */
import {
  accept,
  applyPatch,
  type CorpusCase,
  merged,
  mergePatch,
  type Tree,
} from "../corpus-case.ts";
import { type Kind, request } from "./kind.ts";

export function scaling({ resource, one }: Kind): CorpusCase[] {
  if (!resource.subresources?.some(({ name }) => name === "scale")) return [];
  const at = `${one}/scale`;
  const scale = (replicas: unknown): Tree => ({
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "x" },
    spec: { replicas },
  });
  return [
    request("scale: get", "GET", at),
    request("scale: put", "PUT", at, scale(3)),
    request("scale: negative", "PUT", at, scale(-1)),
    request("scale: wrong type", "PUT", at, scale("3")),
    request("scale: another name", "PUT", at, merged(scale(3), { metadata: { name: "y" } })),
    request("scale: patch", "PATCH", at, { spec: { replicas: 4 } }, mergePatch),
    request(
      "scale: apply",
      "PATCH",
      `${at}?fieldManager=scaler`,
      { apiVersion: "autoscaling/v1", kind: "Scale", spec: { replicas: 5 } },
      applyPatch,
    ),
    request(
      "scale: apply, forced",
      "PATCH",
      `${at}?fieldManager=scaler&force=true`,
      { apiVersion: "autoscaling/v1", kind: "Scale", spec: { replicas: 5 } },
      applyPatch,
    ),
    request("scale: of what is not there", "GET", at.replace("/x/", "/not-there/")),
    request("scale: as a table", "GET", at, undefined, accept("Table")),
    request("scale: seen in the object", "GET", one),
  ];
}
