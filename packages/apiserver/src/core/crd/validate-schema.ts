/**
 * A custom resource against its schema, with upstream's texts.
 *
 * Shapes  an error's field is the path from the root without a leading dot; "<nil>" at the root and
 *         for anyOf, oneOf, allOf and not
 * Source  kube-openapi pkg/validation/{validate,errors}, apiextensions-apiserver
 *         pkg/apiserver/validation/{validation,ratcheting,formats}.go
 */
import {
  deepEqual,
  type FieldError,
  invalidValue,
  marshalGo,
  notSupported,
  quoteGo,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "@nanokube/machinery";
import { compileRegex, validatesFormat } from "@nanokube/machinery/cel";
import type { Correlated } from "./correlated.ts";
import { isTree, type Schema } from "./structural-schema.ts";

export const nilPath = "<nil>";

/** What is wrong, and how much was right: of failed alternatives the one that fits best is told. */
interface Result {
  errors: FieldError[];
  matches: number;
}

class Validation {
  /** Prefix of every error's field: "status", the path of a default. */
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  check(schema: Schema, value: unknown, path: string, old?: Correlated): Result {
    const result = this.#checkAll(schema, value, path, old);
    const isTolerated = result.errors.length > 0 && old?.unchanged;
    return isTolerated ? { errors: [], matches: result.matches } : result;
  }

  #field(path: string): string {
    const name = path.replace(/^\./u, "");
    if (name === "") return this.#prefix === "" ? nilPath : this.#prefix;
    return this.#prefix === "" ? name : `${this.#prefix}.${name}`;
  }
  #nowhere(): string {
    return this.#prefix === "" ? nilPath : this.#prefix;
  }

  #checkAll(schema: Schema, value: unknown, path: string, old?: Correlated): Result {
    const result: Result = { errors: [], matches: 0 };
    const types = typesOf(schema);
    if (value === null) {
      if (types.length > 0 && !schema.nullable) {
        result.errors.push(this.#typeError(path, types.join(","), "null"));
      }
      this.#enum(schema, value, path, result);
      return result;
    }
    this.#type(schema, types, value, path, result);
    this.#combined(schema, value, path, result, old);
    if (typeof value === "string") this.#string(schema, value, path, result);
    if (typeof value === "number") this.#number(schema, value, path, result);
    if (Array.isArray(value)) this.#list(schema, value, path, result, old);
    this.#enum(schema, value, path, result);
    if (isTree(value)) this.#object(schema, value, path, result, old);
    result.matches += 3;
    return result;
  }

  #typeError(path: string, wanted: string, found: string): FieldError {
    const why = `${path} in body must be of type ${wanted}: ${quoteGo(found)}`;
    return typeInvalid(this.#field(path), found, why);
  }

  #type(schema: Schema, types: string[], value: unknown, path: string, result: Result): void {
    const format = schema.format ?? "";
    if (types.length === 0 && format === "") return;
    const found = typeOfValue(value);
    const isTextual = typeof value === "string" || Array.isArray(value);
    const fits = types.includes(found) || (found === "integer" && types.includes("number"));
    const isNumeric = types.includes("number") || types.includes("integer");
    if (!isTextual && format !== "" && !fits) {
      const own = found === "integer" ? "int64" : found === "number" ? "float64" : "";
      result.errors.push(this.#typeError(path, format, own));
    } else if (!isNumeric && format !== "" && isTextual) result.matches++;
    else if (fits) result.matches++;
    else result.errors.push(this.#typeError(path, types.join(","), found));
  }

  #enum(schema: Schema, value: unknown, path: string, result: Result): void {
    const allowed = schema.enum ?? [];
    if (allowed.length === 0 || allowed.some((one) => deepEqual(one, value))) return;
    const shown = allowed.map((one) => (typeof one === "string" ? one : marshalGo(one)));
    result.errors.push(notSupported(this.#field(path), value, shown));
  }

  #invalid(path: string, value: unknown, why: string): FieldError {
    return invalidValue(this.#field(path), value, `${path} in body ${why}`);
  }

  #string(schema: Schema, value: string, path: string, result: Result): void {
    const length = [...value].length;
    const { maxLength, minLength, pattern, format = "" } = schema;
    if (maxLength !== undefined && length > maxLength) {
      result.errors.push(tooLong(this.#field(path), value, maxLength));
    } else if (minLength !== undefined && length < minLength) {
      const why = `should be at least ${minLength} chars long`;
      result.errors.push(this.#invalid(path, value, why));
    } else if (pattern !== undefined && pattern !== "") {
      const regex = compileRegex(pattern);
      const why =
        "message" in regex ? `${pattern}, but pattern is invalid: ${regex.message}` : pattern;
      if ("message" in regex || !regex.test(value)) {
        result.errors.push(this.#invalid(path, value, `should match '${why}'`));
      }
    }
    if (format !== "" && !validatesFormat(format, value)) {
      result.errors.push(this.#typeError(path, format, value));
    }
  }

  #number(schema: Schema, value: number, path: string, result: Result): void {
    const { minimum, maximum, multipleOf } = schema;
    const isEither = schema["x-kubernetes-int-or-string"] === true;
    if (schema.type === "integer" && !isEither && !isInRange(value, schema.format)) {
      const format = /^int(?:32|64)$/u.test(schema.format ?? "") ? schema.format : undefined;
      const text = format === undefined ? " (default format)" : ` with format ${format}`;
      const why = `Checked value must be of type integer${text} in ${path}`;
      result.errors.push(invalidValue(this.#nowhere(), "", why));
    }
    if (multipleOf !== undefined && !Number.isInteger(divided(value, multipleOf))) {
      result.errors.push(this.#invalid(path, value, `should be a multiple of ${multipleOf}`));
    }
    if (minimum !== undefined) {
      const isExclusive = schema.exclusiveMinimum === true;
      const text = isExclusive ? "should be greater than" : "should be greater than or equal to";
      if (value < minimum || (isExclusive && value === minimum)) {
        result.errors.push(this.#invalid(path, value, `${text} ${minimum}`));
      }
    }
    if (maximum !== undefined) {
      const isExclusive = schema.exclusiveMaximum === true;
      const text = isExclusive ? "should be less than" : "should be less than or equal to";
      if (value > maximum || (isExclusive && value === maximum)) {
        result.errors.push(this.#invalid(path, value, `${text} ${maximum}`));
      }
    }
    result.matches++;
  }

  #list(schema: Schema, value: unknown[], path: string, result: Result, old?: Correlated): void {
    const { items, minItems, maxItems } = schema;
    if (items !== undefined) {
      for (const [i, item] of value.entries()) {
        merge(result, this.check(items, item, `${path}[${i}]`, old?.index(i)));
      }
    }
    if (minItems !== undefined && value.length < minItems) {
      const why = `should have at least ${minItems} items`;
      result.errors.push(this.#invalid(path, value.length, why));
    }
    if (maxItems !== undefined && value.length > maxItems) {
      result.errors.push(tooMany(this.#field(path), value.length, maxItems));
    }
    result.matches++;
  }

  #object(
    schema: Schema,
    value: Record<string, unknown>,
    path: string,
    result: Result,
    old?: Correlated,
  ): void {
    const size = Object.keys(value).length;
    const { properties = {}, additionalProperties, minProperties, maxProperties } = schema;
    if (minProperties !== undefined && size < minProperties) {
      const why = `should have at least ${minProperties} properties`;
      result.errors.push(this.#invalid(path, size, why));
    }
    if (maxProperties !== undefined && size > maxProperties) {
      result.errors.push(tooMany(this.#field(path), size, maxProperties));
    }
    for (const [name, member] of Object.entries(value)) {
      const isMeta = path === "" && (name === "apiVersion" || name === "kind");
      const before = isMeta ? undefined : old?.key(name);
      if (Object.hasOwn(properties, name)) {
        const at = path === "" ? name : `${path}.${name}`;
        merge(result, this.check(properties[name]!, member, at, before));
      } else if (isTree(additionalProperties)) {
        const own = additionalProperties as Schema;
        merge(result, this.check(own, member, `${path}.${name}`, before));
      } else if (additionalProperties === false) {
        const why = `${path}.${name} in body is a forbidden property`;
        result.errors.push(invalidValue(this.#field(`${path}.${name}`), name, why));
      }
    }
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(value, name)) {
        result.errors.push(required(this.#field(`${path}.${name}`), ""));
      }
    }
  }

  #combined(schema: Schema, value: unknown, path: string, result: Result, old?: Correlated): void {
    const run = (one: Schema) => this.#checkAll(one, value, path, old);
    const refuse = (why: string) =>
      result.errors.push(invalidValue(this.#nowhere(), "", `${quoteGo(path)} ${why}`));
    const { anyOf = [], oneOf = [], allOf = [] } = schema;
    if (anyOf.length > 0) {
      const results = anyOf.map(run);
      const first = results.find((each) => each.errors.length === 0);
      if (first === undefined) refuse("must validate at least one schema (anyOf)");
      merge(result, first ?? best(results));
    }
    if (oneOf.length > 0) {
      const results = oneOf.map(run);
      const valid = results.filter((each) => each.errors.length === 0);
      if (valid.length === 1) merge(result, valid[0]!);
      else {
        const count = valid.length === 0 ? "none valid" : `${valid.length} valid alternatives`;
        refuse(`must validate one and only one schema (oneOf). Found ${count}`);
        if (valid.length === 0) merge(result, best(results));
      }
    }
    if (allOf.length > 0) {
      const results = allOf.map(run);
      const failed = results.filter((each) => each.errors.length > 0).length;
      for (const each of results) merge(result, each);
      const none = failed === results.length ? ". None validated" : "";
      if (failed > 0) refuse(`must validate all the schemas (allOf)${none}`);
    }
    if (schema.not !== undefined && run(schema.not).errors.length === 0) {
      refuse("must not validate the schema (not)");
    }
    result.matches++;
  }
}

function merge(into: Result, from: Result): void {
  into.errors.push(...from.errors);
  into.matches += from.matches;
}

function best(results: readonly Result[]): Result {
  return results.reduce((a, b) => (b.matches > a.matches ? b : a));
}

function isInRange(value: number, format: string | undefined): boolean {
  if (!Number.isInteger(value)) return false;
  const limit = format === "int32" ? 2 ** 31 : 2 ** 63;
  return value >= -limit && value < limit;
}

/** Without the dust that dividing by a fraction leaves. */
function divided(value: number, factor: number): number {
  const ratio = factor < 1 ? (1 / factor) * value : value / factor;
  const rounded = Math.round(ratio);
  return Math.abs(ratio - rounded) < 1e-9 * Math.max(1, Math.abs(ratio)) ? rounded : ratio;
}

function typesOf(schema: Schema): string[] {
  if (schema["x-kubernetes-int-or-string"]) return ["integer", "string"];
  return schema.type ? [schema.type] : [];
}

function typeOfValue(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

export function validateSchema(
  schema: Schema,
  value: unknown,
  { prefix = "", old }: { prefix?: string; old?: Correlated | undefined } = {},
): FieldError[] {
  return new Validation(prefix).check(schema, value, "", old).errors;
}
