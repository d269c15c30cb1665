/**
 * Table: rows as kubectl prints them.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/handlers/response.go (asTable),
 *         pkg/registry/rest/table.go (the default convertor)
 */
import { badRequest, type KubeObject } from "@nanokube/machinery";
import type { Column } from "../strategy.ts";
import type { RestContext, ServedResource } from "./context.ts";
import type { ListMeta } from "./list-body.ts";
import { partialMetadata } from "./partial-metadata.ts";

export interface TableRowSource {
  tree: KubeObject;
  bytes: Uint8Array | undefined;
}

/** The first column where a kind has none of its own to begin with. */
export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  priority: 0,
};

const defaultColumns: readonly Column[] = [
  nameColumn,
  {
    name: "Created At",
    type: "date",
    description:
      "CreationTimestamp is a timestamp representing the server time when this object was created.",
    priority: 0,
  },
];

export function tableOf(
  context: RestContext,
  rows: readonly TableRowSource[],
  listMeta: ListMeta,
  headers = true,
): KubeObject {
  const { output, request, resource, server } = context;
  const include = request.query.get("includeObject") ?? "";
  if (!["", "None", "Metadata", "Object"].includes(include)) {
    throw badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
    );
  }
  const { strategy } = resource;
  const now = server.clock.now();
  const columns = strategy.columns ?? defaultColumns;
  const cells = (tree: KubeObject): unknown[] =>
    strategy.row?.(tree, now) ?? [
      tree.metadata?.name ?? "",
      tree.metadata?.creationTimestamp ?? null,
    ];
  const shown = rows.map(({ tree }) => ({
    cells: cells(tree),
    object: embedded(resource, tree, include, output.asVersion),
  }));
  // Without columns of its own a kind's rows are a list that Go never put anything into.
  const isPlain = columns[1]?.name === "Created At";
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${output.asVersion}`,
    metadata: listMeta as object,
    columnDefinitions: headers ? columns.map(definition) : null,
    rows: isPlain && rows.length === 0 ? null : shown,
  };
}

function definition(column: Column): object {
  return {
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description,
    priority: column.priority,
  };
}

function embedded(
  resource: Pick<ServedResource, "fromStorage">,
  tree: KubeObject,
  include: string,
  version: string,
): unknown {
  if (include === "None") return null;
  return include === "Object" ? resource.fromStorage(tree) : partialMetadata(tree, version);
}
