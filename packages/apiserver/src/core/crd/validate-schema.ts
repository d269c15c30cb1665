/**
 * A custom resource against its schema, with upstream's texts.
 *
 * Source  kube-openapi pkg/validation/{validate,errors}, apiextensions-apiserver
 *         pkg/apiserver/validation/validation.go
 */
import {
  deepEqual,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "@nanokube/machinery";
import { isTree, type Schema } from "./structural-schema.ts";

export function validateSchema(schema: Schema, object: unknown): FieldError[] {
  const errors: FieldError[] = [];
  check(schema, object, undefined, errors);
  return errors;
}

type Path = FieldPath | undefined;

function text(path: Path): FieldPath | string {
  return path ?? "";
}

function child(path: Path, name: string): FieldPath {
  return path === undefined ? FieldPath.root(name) : path.child(name);
}

function check(schema: Schema, value: unknown, path: Path, errors: FieldError[]): void {
  if (value === null && schema.nullable) return;
  if (schema["x-kubernetes-int-or-string"]) {
    if (typeof value !== "string" && !Number.isInteger(value)) {
      errors.push(typeError(value, path, "integer,string"));
      return;
    }
  } else if (schema.type !== undefined && schema.type !== "" && !isOfType(value, schema.type)) {
    errors.push(typeError(value, path, schema.type));
    return;
  }
  if (schema.enum !== undefined && !schema.enum.some((one) => deepEqual(one, value))) {
    errors.push(notSupported(text(path), value, schema.enum.map(String)));
  }
  if (typeof value === "string") checkString(schema, value, path, errors);
  if (typeof value === "number") checkNumber(schema, value, path, errors);
  if (Array.isArray(value)) checkList(schema, value, path, errors);
  else if (isTree(value)) checkObject(schema, value, path, errors);
  checkCombined(schema, value, path, errors);
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function isOfType(value: unknown, type: string): boolean {
  const actual = typeOfValue(value);
  return actual === type || (type === "number" && actual === "integer");
}

function typeError(value: unknown, path: Path, type: string): FieldError {
  const where = path === undefined ? "" : path.toString();
  const detail = `${where} in body must be of type ${type}: ${JSON.stringify(typeOfValue(value))}`;
  return typeInvalid(text(path), typeOfValue(value), detail.trimStart());
}

function inBody(path: Path, why: string): string {
  return `${path === undefined ? "" : `${path.toString()} `}in body ${why}`;
}

function checkString(schema: Schema, value: string, path: Path, errors: FieldError[]): void {
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    errors.push(tooLong(text(path), value, schema.maxLength));
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(
      invalidValue(
        text(path),
        value,
        inBody(path, `should be at least ${schema.minLength} chars long`),
      ),
    );
  }
  if (schema.pattern !== undefined && !matches(schema.pattern, value)) {
    errors.push(invalidValue(text(path), value, inBody(path, `should match '${schema.pattern}'`)));
  }
}

const patterns = new Map<string, RegExp | undefined>();

/** A pattern that JavaScript cannot read holds nobody back. */
function matches(pattern: string, value: string): boolean {
  if (!patterns.has(pattern)) {
    try {
      patterns.set(pattern, new RegExp(pattern, "u"));
    } catch {
      patterns.set(pattern, undefined);
    }
  }
  return patterns.get(pattern)?.test(value) ?? true;
}

function checkNumber(schema: Schema, value: number, path: Path, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = schema;
  if (
    minimum !== undefined &&
    (value < minimum || (schema.exclusiveMinimum && value === minimum))
  ) {
    const why = schema.exclusiveMinimum
      ? "should be greater than"
      : "should be greater than or equal to";
    errors.push(invalidValue(text(path), value, inBody(path, `${why} ${minimum}`)));
  }
  if (
    maximum !== undefined &&
    (value > maximum || (schema.exclusiveMaximum && value === maximum))
  ) {
    const why = schema.exclusiveMaximum ? "should be less than" : "should be less than or equal to";
    errors.push(invalidValue(text(path), value, inBody(path, `${why} ${maximum}`)));
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) {
    errors.push(
      invalidValue(text(path), value, inBody(path, `should be a multiple of ${multipleOf}`)),
    );
  }
}

function checkList(schema: Schema, value: unknown[], path: Path, errors: FieldError[]): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    errors.push(tooMany(text(path), value.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    errors.push(
      invalidValue(
        text(path),
        value.length,
        inBody(path, `should have at least ${schema.minItems} items`),
      ),
    );
  }
  const { items } = schema;
  if (items === undefined) return;
  for (const [i, item] of value.entries()) {
    check(items, item, (path ?? FieldPath.root("")).index(i), errors);
  }
}

function checkObject(
  schema: Schema,
  value: Record<string, unknown>,
  path: Path,
  errors: FieldError[],
): void {
  for (const name of schema.required ?? []) {
    if (Object.hasOwn(value, name)) continue;
    errors.push(required(child(path, name), ""));
  }
  const size = Object.keys(value).length;
  if (schema.maxProperties !== undefined && size > schema.maxProperties) {
    errors.push(tooMany(text(path), size, schema.maxProperties));
  }
  if (schema.minProperties !== undefined && size < schema.minProperties) {
    const why = `should have at least ${schema.minProperties} properties`;
    errors.push(invalidValue(text(path), size, inBody(path, why)));
  }
  for (const [name, member] of Object.entries(value)) {
    if (path === undefined && (name === "metadata" || name === "apiVersion" || name === "kind"))
      continue;
    const known = schema.properties?.[name];
    const { additionalProperties } = schema;
    if (known !== undefined) check(known, member, child(path, name), errors);
    else if (isTree(additionalProperties)) {
      check(additionalProperties as Schema, member, child(path, name), errors);
    }
  }
}

function checkCombined(schema: Schema, value: unknown, path: Path, errors: FieldError[]): void {
  for (const one of schema.allOf ?? []) check(one, value, path, errors);
  const holds = (one: Schema): boolean => {
    const found: FieldError[] = [];
    check(one, value, path, found);
    return found.length === 0;
  };
  const where = path?.toString() ?? "";
  if (schema.anyOf !== undefined && !schema.anyOf.some(holds)) {
    errors.push(
      invalidValue(text(path), value, `${where} in body must validate at least one schema (anyOf)`),
    );
  }
  if (schema.oneOf !== undefined) {
    const count = schema.oneOf.filter(holds).length;
    if (count !== 1) {
      const why = `in body must validate one and only one schema (oneOf). Found ${count === 0 ? "none" : count} valid`;
      errors.push(invalidValue(text(path), value, `${where} ${why}`));
    }
  }
  if (schema.not !== undefined && holds(schema.not)) {
    errors.push(
      invalidValue(text(path), value, `${where} in body must not validate the schema (not)`),
    );
  }
}
