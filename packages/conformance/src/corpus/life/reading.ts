/** Reads: in every form, by selectors, of what is not there. */
import { accept, type CorpusCase } from "../corpus-case.ts";
import { isBusy, type Kind, request } from "./kind.ts";

export function reading({ all, one, object, resource }: Kind): CorpusCase[] {
  const get = (name: string, path: string, headers?: Record<string, string>) =>
    request(name, "GET", path, undefined, headers);
  const field = encodeURIComponent("metadata.name=x");
  const own = "labelSelector=corpus%3D1";
  return [
    { ...get("get", one), ...(isBusy(resource) ? { settles: true as const } : {}) },
    { ...get("get as protobuf", one), protobuf: true },
    { ...get("list as protobuf", `${all}?${own}`), protobuf: true },
    get("get what is not there", `${all}/not-there`),
    get("get as a table", one, accept("Table")),
    get("get as metadata", one, accept("PartialObjectMetadata")),
    get("list", `${all}?${own}`),
    get("list as a table", `${all}?${own}`, accept("Table")),
    get("list as a table with objects", `${all}?${own}&includeObject=Object`, accept("Table")),
    get("list as metadata", `${all}?${own}`, accept("PartialObjectMetadataList")),
    get("list by name", `${all}?${own}&fieldSelector=${field}`),
    get("list by an unknown field", `${all}?fieldSelector=spec.nothing%3Da`),
    get("get an unknown subresource", `${one}/nothing`),
    ...(resource.namespaced
      ? [
          get(
            "list everywhere",
            `${all.replace(/\/namespaces\/[^/]+/, "")}?${own}&fieldSelector=${encodeURIComponent("metadata.namespace=elsewhere")}`,
          ),
        ]
      : []),
    request("put the collection", "PUT", all, object),
    request("post the object", "POST", one, object),
  ];
}
