/**
 * Kubernetes' Common Expression Language: parse, check, estimate, evaluate.
 *
 *     const environment = environmentOf({ variables: [["self", type]] });
 *     const compiled = compileExpression("self.replicas <= 5", environment);
 *     if ("program" in compiled) compiled.program.evaluate((name) => values.get(name), 1_000_000);
 */

export {
  type AdmissionVariables,
  admissionEnvironment,
  objectType as admissionObjectType,
  patchType as admissionPatchType,
} from "./admission-environment.ts";
export { equals as celEquals } from "./compare.ts";
export type { CompileErrors } from "./compile-error.ts";
export type { SizeEstimator } from "./cost-estimate.ts";
export type { Range } from "./cost-range.ts";
export { type Environment, environmentOf } from "./environment.ts";
export { escapeField, unescapeField } from "./field-names.ts";
export { jsonOf } from "./json-value.ts";
export {
  type AuthorizationAnswer,
  type AuthorizationQuestion,
  type Authorize,
  authorizerOf,
  authorizerType,
  resourceCheckOf,
  resourceCheckType,
} from "./library/authorizer.ts";
export { compile as compileRegex } from "./library/regex.ts";
export { validatesFormat } from "./library/string-formats.ts";
export type { Scope } from "./plan-nodes.ts";
export { type Compiled, compileExpression, type Outcome, Program } from "./program.ts";
export {
  requestSizeMax,
  type SizedType,
  sizeAlong,
  sizedTypeOf,
  type TypeSchema,
} from "./schema-types.ts";
export { LazyMap, plainValue, schemaValue } from "./schema-values.ts";
export {
  boolType,
  type CelType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  opaque,
  optionalOf,
  stringType,
  struct,
  timestampType,
  typeText,
} from "./types.ts";
export {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelStruct,
  CelTimestamp,
  CelUint,
  isError as isCelError,
  none,
  typeOf,
  type Value,
} from "./values.ts";
