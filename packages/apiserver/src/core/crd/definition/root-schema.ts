/**
 * The schema of a version as a whole: what may stand at its root, whether it is structural, what
 * its rules cost together.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
 */
import {
  type FieldError,
  type FieldPath,
  forbiddenField,
  GoText,
  internalTree,
  invalidValue,
  marshalGo,
} from "@nanokube/machinery";
import type { Schema } from "../structural-schema.ts";
import { validateDefaults } from "./defaults.ts";
import { costMessage, definitionCostMax, rootContext } from "./schema-context.ts";
import { validateSchemaFields } from "./schema-fields.ts";
import { validateStructural } from "./structural.ts";

const schemaType = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
const allowedAtRoot =
  "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";
const allowedKeys = new Set(
  (
    "description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength " +
    "minLength pattern maxItems minItems uniqueItems multipleOf required items properties " +
    "externalDocs example x-kubernetes-preserve-unknown-fields x-kubernetes-validations"
  ).split(" "),
);

export function validateRootSchema(
  schema: Schema,
  path: FieldPath,
  hasStatus: boolean,
  unchanged: boolean,
): FieldError[] {
  const at = path.child("openAPIV3Schema");
  const errors: FieldError[] = [];
  if (hasStatus) {
    const why = `only ${allowedAtRoot} fields are allowed at the root of the schema if the status subresource is enabled`;
    const isOdd = Object.keys(schema).some((key) => !allowedKeys.has(key));
    if (schema.type !== undefined && schema.type !== "object") {
      const text =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      errors.push(invalidValue(at.child("type"), schema.type, text));
    } else if (isOdd) {
      const shown = new GoText(marshalGo(internalTree(schemaType, schema)));
      errors.push(invalidValue(at, shown, why));
    }
  }
  if (schema.nullable) {
    errors.push(forbiddenField(at.child("nullable"), "nullable cannot be true at the root"));
  }
  const structural = isPlain(schema) ? validateStructural(schema, at) : [];
  const wrong =
    structural.length > 0 || !isPlain(schema) ? structural : validateDefaults(schema, at);
  errors.push(...wrong);
  const context = wrong.length > 0 || !isPlain(schema) ? undefined : rootContext();
  errors.push(...validateSchemaFields(schema, at, context, unchanged));
  if (context === undefined || context.total.total <= definitionCostMax) return errors;
  for (const { path: expensive } of context.total.expensive) {
    const why =
      "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    errors.push(forbiddenField(expensive, why));
  }
  const name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  return [...errors, forbiddenField(at, costMessage(name, context.total.total, definitionCostMax))];
}

const foreign = ["id", "$schema", "$ref", "patternProperties", "dependencies"] as const;

/** Nothing in it that structural schemas cannot even be made of. */
function isPlain(schema: Schema): boolean {
  const { items, properties = {}, additionalProperties, additionalItems, definitions } = schema;
  const isForeign = [...foreign.map((name) => schema[name]), additionalItems, definitions].some(
    (each) => each !== undefined && each !== "",
  );
  if (isForeign || Array.isArray(items)) return false;
  const below = [items, additionalProperties, ...Object.values(properties), schema.not].filter(
    (each) => typeof each === "object",
  ) as Schema[];
  const { allOf = [], anyOf = [], oneOf = [] } = schema;
  return [...below, ...allOf, ...anyOf, ...oneOf].every(isPlain);
}
