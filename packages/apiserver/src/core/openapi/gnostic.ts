/**
 * OpenAPI documents in protobuf, in the messages of the gnostic project: what kubectl asks for.
 *
 * A message is a table: JSON key → [field number, how to write it]. Keys that start with "x-" are
 * extensions, whose values stand there as YAML text.
 *
 * Shapes  application/com.github.proto-openapi.spec.v2.v1.0+protobuf   encodeV2
 *         application/com.github.proto-openapi.spec.v3.v1.0+protobuf   encodeV3
 * Source  github.com/google/gnostic-models openapiv2/OpenAPIv2.proto, openapiv3/OpenAPIv3.proto
 */
import { ProtoWriter } from "./proto-writer.ts";
import { toYAML } from "./yaml-text.ts";

type Put = (out: ProtoWriter, field: number, value: unknown) => void;

interface Message {
  readonly fields: Readonly<Record<string, readonly [number, Put]>>;
  /** Field of the extensions. */
  readonly extensions?: number;
  /** What any other key is: an entry {name = 1, value = 2} of a repeated field. */
  readonly entries?: readonly [number, Put];
}

const text: Put = (out, field, value) => {
  if (value !== "") out.text(field, String(value));
};
const flag: Put = (out, field, value) => {
  if (value === true) out.integer(field, 1);
};
const integer: Put = (out, field, value) => {
  if (value !== 0) out.integer(field, Number(value));
};
const double: Put = (out, field, value) => {
  if (value !== 0) out.double(field, Number(value));
};
const any: Put = (out, field, value) => out.message(field, () => out.text(2, toYAML(value)));

function list(put: Put): Put {
  return (out, field, value) => {
    for (const item of value as unknown[]) put(out, field, item);
  };
}

function entry(out: ProtoWriter, field: number, name: string, put: Put, value: unknown): void {
  out.message(field, () => {
    text(out, 1, name);
    put(out, 2, value);
  });
}

function writeMessage(out: ProtoWriter, { fields, extensions, entries }: Message, value: object) {
  const others: [string, unknown][] = [];
  const known: [number, Put, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field !== undefined) known.push([...field, member]);
    else others.push([key, member]);
  }
  if (extensions !== undefined) {
    const marks = others.filter(([key]) => key.startsWith("x-"));
    if (marks.length > 0) {
      known.push([
        extensions,
        (to, field) => {
          for (const [key, member] of marks) entry(to, field, key, any, member);
        },
        undefined,
      ]);
    }
  }
  if (entries !== undefined) {
    const [field, put] = entries;
    const write: Put = (to) => {
      for (const [key, member] of others) {
        if (extensions === undefined || !key.startsWith("x-")) entry(to, field, key, put, member);
      }
    };
    known.push([field, write, undefined]);
  }
  known.sort(([a], [b]) => a - b);
  for (const [field, put, member] of known) put(out, field, member);
}

/** Late: messages refer to each other. */
function message(shape: () => Message): Put {
  return (out, field, value) =>
    out.message(field, () => writeMessage(out, shape(), value as object));
}

/** A message that holds nothing but entries, in its field 1. */
function map(put: Put): Put {
  return message(() => ({ fields: {}, entries: [1, put] }));
}

/** A message that holds one of several, in the field of that one. */
function wrap(choose: (value: unknown) => readonly [number, Put]): Put {
  return (out, field, value) =>
    out.message(field, () => {
      const [inner, put] = choose(value);
      put(out, inner, value);
    });
}

function isReference(value: unknown): boolean {
  return typeof value === "object" && value !== null && "$ref" in value;
}

/** Numbers of the members that v2 and v3 schemas, and parameters, have in the same order. */
function limits(first: number): Record<string, readonly [number, Put]> {
  const names = [
    ["multipleOf", double],
    ["maximum", double],
    ["exclusiveMaximum", flag],
    ["minimum", double],
    ["exclusiveMinimum", flag],
    ["maxLength", integer],
    ["minLength", integer],
    ["pattern", text],
    ["maxItems", integer],
    ["minItems", integer],
    ["uniqueItems", flag],
    ["maxProperties", integer],
    ["minProperties", integer],
    ["required", list(text)],
    ["enum", list(any)],
  ] as const;
  return Object.fromEntries(names.map(([name, put], i) => [name, [first + i, put]]));
}

const externalDocs = message(() => ({
  fields: { description: [1, text], url: [2, text] },
  extensions: 3,
}));
const many = (value: unknown) => (Array.isArray(value) ? value : [value]);

// ── v2 ─────────────────────────────────────────────────────────────────────────────────────────

const schemaV2: Put = message(() => ({
  fields: {
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, any],
    ...limits(6),
    additionalProperties: [21, wrap((v) => (typeof v === "boolean" ? [2, flag] : [1, schemaV2]))],
    type: [22, (out, field, v) => out.message(field, () => list(text)(out, 1, many(v)))],
    items: [23, (out, field, v) => out.message(field, () => list(schemaV2)(out, 1, many(v)))],
    allOf: [24, list(schemaV2)],
    properties: [25, map(schemaV2)],
    readOnly: [27, flag],
    externalDocs: [29, externalDocs],
    example: [30, any],
  },
  extensions: 31,
}));

const bodyParameter = message(() => ({
  fields: {
    description: [1, text],
    name: [2, text],
    in: [3, text],
    required: [4, flag],
    schema: [5, schemaV2],
  },
  extensions: 6,
}));

/** Query parameters have allowEmptyValue in their fifth field; path parameters do not. */
function plainParameter(offset: number): Put {
  return message(() => ({
    fields: {
      required: [1, flag],
      in: [2, text],
      description: [3, text],
      name: [4, text],
      type: [5 + offset, text],
      format: [6 + offset, text],
      uniqueItems: [19 + offset, flag],
    },
    extensions: 22 + offset,
  }));
}
const queryParameter = plainParameter(1);
const pathParameter = plainParameter(0);

const nonBody = wrap((v) =>
  (v as { in: string }).in === "query" ? [3, queryParameter] : [4, pathParameter],
);
const parameterV2 = wrap((v) =>
  (v as { in: string }).in === "body" ? [1, bodyParameter] : [2, nonBody],
);
const referenceV2 = message(() => ({ fields: { $ref: [1, text], description: [2, text] } }));
const parameterItem = wrap((v) => (isReference(v) ? [2, referenceV2] : [1, parameterV2]));

const responseV2 = message(() => ({
  fields: { description: [1, text], schema: [2, wrap(() => [1, schemaV2])] },
  extensions: 5,
}));
const responsesV2 = message(() => ({
  fields: {},
  extensions: 2,
  entries: [1, wrap((v) => (isReference(v) ? [2, referenceV2] : [1, responseV2]))],
}));
const strings = list(text);
const stringArray: Put = (out, field, value) => out.message(field, () => strings(out, 1, value));
const security = list(map(stringArray));

const operationV2 = message(() => ({
  fields: {
    tags: [1, strings],
    summary: [2, text],
    description: [3, text],
    externalDocs: [4, externalDocs],
    operationId: [5, text],
    produces: [6, strings],
    consumes: [7, strings],
    parameters: [8, list(parameterItem)],
    responses: [9, responsesV2],
    schemes: [10, strings],
    deprecated: [11, flag],
    security: [12, security],
  },
  extensions: 13,
}));
const pathItemV2 = message(() => ({
  fields: {
    get: [2, operationV2],
    put: [3, operationV2],
    post: [4, operationV2],
    delete: [5, operationV2],
    options: [6, operationV2],
    head: [7, operationV2],
    patch: [8, operationV2],
    parameters: [9, list(parameterItem)],
  },
  extensions: 10,
}));
const apiKeyV2 = message(() => ({
  fields: { type: [1, text], name: [2, text], in: [3, text], description: [4, text] },
  extensions: 5,
}));

const documentV2: Message = {
  fields: {
    swagger: [1, text],
    info: [2, message(() => ({ fields: { title: [1, text], version: [2, text] }, extensions: 7 }))],
    paths: [8, message(() => ({ fields: {}, extensions: 1, entries: [2, pathItemV2] }))],
    definitions: [9, map(schemaV2)],
    parameters: [10, map(parameterV2)],
    security: [12, security],
    securityDefinitions: [13, map(wrap(() => [2, apiKeyV2]))],
  },
  extensions: 16,
};

// ── v3 ─────────────────────────────────────────────────────────────────────────────────────────

/** Unlike others, a default is written when it is zero, too; an object's or list's is empty. */
const defaultV3: Put = (out, field, value) =>
  out.message(field, () => {
    if (typeof value === "number") out.double(1, value);
    else if (typeof value === "boolean") out.integer(2, value ? 1 : 0);
    else if (typeof value === "string") out.text(3, value);
  });

const referenceV3 = message(() => ({
  fields: { $ref: [1, text], summary: [2, text], description: [3, text] },
}));
const plainSchemaV3: Put = message(() => ({
  fields: {
    nullable: [1, flag],
    readOnly: [3, flag],
    writeOnly: [4, flag],
    externalDocs: [6, externalDocs],
    example: [7, any],
    deprecated: [8, flag],
    title: [9, text],
    ...limits(10),
    type: [25, text],
    allOf: [26, list(schemaV3)],
    oneOf: [27, list(schemaV3)],
    anyOf: [28, list(schemaV3)],
    not: [29, plainSchemaV3],
    items: [30, (out, field, v) => out.message(field, () => list(schemaV3)(out, 1, many(v)))],
    properties: [31, map(schemaV3)],
    additionalProperties: [32, wrap((v) => (typeof v === "boolean" ? [2, flag] : [1, schemaV3]))],
    default: [33, defaultV3],
    description: [34, text],
    format: [35, text],
  },
  extensions: 36,
}));
const schemaV3: Put = wrap((v) => (isReference(v) ? [2, referenceV3] : [1, plainSchemaV3]));

const content = map(message(() => ({ fields: { schema: [1, schemaV3] }, extensions: 5 })));
const parameterV3 = wrap(() => [
  1,
  message(() => ({
    fields: {
      name: [1, text],
      in: [2, text],
      description: [3, text],
      required: [4, flag],
      schema: [10, schemaV3],
    },
    extensions: 14,
  })),
]);
const requestBody = wrap(() => [
  1,
  message(() => ({
    fields: { description: [1, text], content: [2, content], required: [3, flag] },
    extensions: 4,
  })),
]);
const responseV3 = wrap(() => [
  1,
  message(() => ({ fields: { description: [1, text], content: [3, content] }, extensions: 5 })),
]);
const operationV3 = message(() => ({
  fields: {
    tags: [1, strings],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    parameters: [6, list(parameterV3)],
    requestBody: [7, requestBody],
    responses: [8, message(() => ({ fields: {}, extensions: 3, entries: [2, responseV3] }))],
    deprecated: [10, flag],
    security: [11, security],
  },
  extensions: 13,
}));
const pathItemV3 = message(() => ({
  fields: {
    get: [4, operationV3],
    put: [5, operationV3],
    post: [6, operationV3],
    delete: [7, operationV3],
    options: [8, operationV3],
    head: [9, operationV3],
    patch: [10, operationV3],
    parameters: [13, list(parameterV3)],
  },
  extensions: 14,
}));
const securityScheme = wrap(() => [
  1,
  message(() => ({
    fields: { type: [1, text], description: [2, text], name: [3, text], in: [4, text] },
    extensions: 9,
  })),
]);
const documentV3: Message = {
  fields: {
    openapi: [1, text],
    info: [2, message(() => ({ fields: { title: [1, text], version: [6, text] }, extensions: 7 }))],
    paths: [4, message(() => ({ fields: {}, extensions: 2, entries: [1, pathItemV3] }))],
    components: [
      5,
      message(() => ({
        fields: { schemas: [1, map(schemaV3)], securitySchemes: [7, map(securityScheme)] },
        extensions: 10,
      })),
    ],
    security: [6, security],
  },
  extensions: 9,
};

function encode(shape: Message, document: object): Uint8Array {
  const out = new ProtoWriter();
  writeMessage(out, shape, document);
  return out.finish();
}

export function encodeV2(document: object): Uint8Array {
  return encode(documentV2, document);
}

export function encodeV3(document: object): Uint8Array {
  return encode(documentV3, document);
}
