/**
 * The strategy of a custom resource, made from one version of its definition.
 *
 * Source  apiextensions-apiserver pkg/registry/customresource/{strategy,status_strategy}.go,
 *         tableconvertor
 */
import type { KubeObject } from "@nanokube/machinery";
import { kind } from "../../resources/generic.ts";
import { pathSegment } from "../../resources/names.ts";
import { age, since } from "../../resources/table.ts";
import type { Column, ResourceStrategy } from "../strategy.ts";
import { findAll, parseJSONPath } from "./json-path.ts";
import { applyDefaults, type Schema } from "./structural-schema.ts";
import { validateSchema } from "./validate-schema.ts";

export interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

export interface CustomVersion {
  schema: Schema | undefined;
  columns: readonly PrinterColumn[];
  selectableFields: readonly string[];
  hasStatus: boolean;
}

export function customStrategy(version: CustomVersion): ResourceStrategy {
  const { schema } = version;
  const errors = (object: KubeObject) =>
    schema === undefined ? [] : validateSchema(schema, object);
  const printers = version.columns.map((column) => ({
    column,
    steps: parseJSONPath(column.jsonPath) ?? [],
  }));
  const fields = version.selectableFields.map((path) => ({
    name: path.replace(/^\./, ""),
    steps: parseJSONPath(path) ?? [],
  }));
  const own: ResourceStrategy = {
    default: (object) => {
      if (schema !== undefined) applyDefaults(schema, object);
    },
    prepareForCreate(object) {
      object.metadata!.generation = 1;
    },
    prepareForUpdate(object, old, { subresource }) {
      if (subresource === "status") object.metadata!.generation = old.metadata?.generation ?? 1;
      else countGeneration(object, old);
    },
    validate: errors,
    validateUpdate: errors,
    columns: [
      nameColumn,
      ...printers.map(({ column }) => tableColumn(column)),
      ...ageColumn(printers),
    ],
    row(object, now) {
      const cells = printers.map(({ column, steps }) => cell(column, findAll(steps, object), now));
      const last = printers.length > 0 ? [] : [age(object, now)];
      return [object.metadata?.name ?? "", ...cells, ...last];
    },
    selectableFields: (object) =>
      Object.fromEntries(
        fields.map(({ name, steps }) => [name, asText(findAll(steps, object)[0])]),
      ),
    allowUnconditionalUpdate: false,
  };
  return kind({ status: version.hasStatus, name: pathSegment }, own);
}

/** Everything but metadata and status is what the user asks for. */
function countGeneration(object: KubeObject, old: KubeObject): void {
  const wish = ({ metadata: _m, status: _s, ...rest }: KubeObject): string =>
    JSON.stringify(sorted(rest));
  const before = old.metadata?.generation ?? 1;
  object.metadata!.generation = wish(object) === wish(old) ? before : before + 1;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, member]) => [key, sorted(member)]);
}

const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  priority: 0,
};

function ageColumn(printers: readonly unknown[]): Column[] {
  if (printers.length > 0) return [];
  const description =
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
  return [{ name: "Age", type: "date", description, priority: 0 }];
}

function tableColumn(column: PrinterColumn): Column {
  return {
    name: column.name,
    type: column.type as Column["type"],
    ...(column.format ? { format: column.format } : {}),
    description:
      column.description ||
      `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    priority: column.priority ?? 0,
  };
}

function cell(column: PrinterColumn, found: unknown[], now: number): unknown {
  const [value] = found;
  if (value === undefined || value === null) return column.type === "date" ? "<unknown>" : null;
  if (column.type === "date") return since(String(value), now);
  if (column.type === "integer" || column.type === "number") return Number(value);
  if (column.type === "boolean") return value;
  return found.length === 1 ? asText(value) : found.map(asText).join(",");
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
