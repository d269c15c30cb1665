/**
 * The strategy of a custom resource, made from one version of its definition.
 *
 * Source  apiextensions-apiserver pkg/registry/customresource/{strategy,status_strategy}.go,
 *         tableconvertor
 */
import { type FieldError, invalidValue, type KubeObject } from "@nanokube/machinery";
import { allMetadata, kind } from "../../resources/generic.ts";
import { dns1123Subdomain } from "../../resources/names.ts";
import { age, since } from "../../resources/table.ts";
import { nameColumn } from "../rest/table.ts";
import type { Column, ResourceStrategy } from "../strategy.ts";
import { Correlated } from "./correlated.ts";
import { validateEmbedded } from "./embedded-meta.ts";
import { findAll, parseJSONPath } from "./json-path.ts";
import { validateListSets } from "./list-sets.ts";
import { evaluateRules } from "./rules/evaluate-rules.ts";
import { type RuleNode, ruleTreeOf } from "./rules/rule-tree.ts";
import { type ScalePaths, validateScale } from "./scale-paths.ts";
import { applyDefaults, type Schema } from "./structural-schema.ts";
import { nilPath, validateSchema } from "./validate-schema.ts";

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
  scale?: ScalePaths | undefined;
}

/** ".spec.color": an object may be selected by "spec.color". */
export function fieldSelection(
  paths: readonly string[],
): (object: KubeObject) => Record<string, string> {
  const fields = paths.map((path) => ({
    name: path.replace(/^\./, ""),
    steps: parseJSONPath(path) ?? [],
  }));
  return (object) =>
    Object.fromEntries(fields.map(({ name, steps }) => [name, asText(findAll(steps, object)[0])]));
}

export function customStrategy(version: CustomVersion): ResourceStrategy {
  const { schema } = version;
  const check = new Checks(schema ?? {}, version.scale);
  const printers = version.columns.map((column) => ({
    column,
    steps: parseJSONPath(column.jsonPath) ?? [],
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
      else countGeneration(object, old, version.hasStatus);
    },
    validate: (object) => check.create(object),
    validateUpdate: (object, old, { subresource }) =>
      check.update(object, old, subresource === "status"),
    warnings: (object) => check.takeWarnings(object),
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
    selectableFields: fieldSelection(version.selectableFields),
    allowUnconditionalUpdate: false,
  };
  return kind({ status: version.hasStatus, name: dns1123Subdomain, statusKeeps: allMetadata }, own);
}

const blocking = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);
const notAllChecked =
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

/** Schema, embedded metadata, sets, rules: in upstream's order. */
class Checks {
  readonly #schema: Schema;
  readonly #scale: ScalePaths | undefined;
  #rules: RuleNode | undefined | "unknown" = "unknown";
  /** Of rules that do not hold for what has not changed; told when the write succeeds. */
  readonly #warnings = new WeakMap<KubeObject, string[]>();

  constructor(schema: Schema, scale: ScalePaths | undefined) {
    this.#schema = schema;
    this.#scale = scale;
  }

  /** Compiled at the first need: most definitions are read more often than written to. */
  get #tree(): RuleNode | undefined {
    if (this.#rules === "unknown") this.#rules = ruleTreeOf(this.#schema);
    return this.#rules;
  }

  create(object: KubeObject): FieldError[] {
    const schema = this.#schema;
    const errors = [
      ...validateSchema(schema, object),
      ...validateScale(this.#scale, object, ["spec", "status"]),
      ...validateEmbedded(schema, object),
      ...validateListSets(schema, object),
    ];
    return [...errors, ...this.#runRules(errors, object, undefined)];
  }

  update(object: KubeObject, old: KubeObject, isStatus: boolean): FieldError[] {
    const schema = this.#schema;
    const correlated = new Correlated(object, old, schema);
    const errors = isStatus
      ? this.#statusErrors(object, correlated)
      : [
          ...validateSchema(schema, object, { old: correlated }),
          ...validateScale(this.#scale, object, ["spec", "status"]),
          ...validateEmbedded(schema, object),
        ];
    if (validateListSets(schema, old).length === 0) {
      errors.push(...validateListSets(schema, object));
    }
    return [...errors, ...this.#runRules(errors, object, old, correlated)];
  }

  #statusErrors(object: KubeObject, correlated: Correlated): FieldError[] {
    const schema = this.#schema.properties?.["status"];
    const scale = validateScale(this.#scale, object, ["status"]);
    if (schema === undefined || object["status"] === undefined) return scale;
    const old = correlated.key("status");
    return [...validateSchema(schema, object["status"], { prefix: "status", old }), ...scale];
  }

  #runRules(
    errors: readonly FieldError[],
    object: KubeObject,
    old: KubeObject | undefined,
    correlated?: Correlated,
  ): FieldError[] {
    const tree = this.#tree;
    if (tree === undefined) return [];
    if (errors.some((error) => blocking.has(error.type))) {
      return [invalidValue(nilPath, null, notAllChecked)];
    }
    const outcome = evaluateRules(tree, object, { old, ...(correlated && { correlated }) });
    this.#warnings.set(object, outcome.warnings);
    return outcome.errors;
  }

  takeWarnings(object: KubeObject): string[] {
    return this.#warnings.get(object) ?? [];
  }
}

/** Everything but metadata (and status, when it is written apart) is what the user asks for. */
function countGeneration(object: KubeObject, old: KubeObject, hasStatus: boolean): void {
  const wish = ({ metadata: _m, status, ...rest }: KubeObject): string =>
    JSON.stringify(sorted(hasStatus ? rest : { ...rest, status }));
  const before = old.metadata?.generation ?? 1;
  object.metadata!.generation = wish(object) === wish(old) ? before : before + 1;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, member]) => [key, sorted(member)]);
}

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
