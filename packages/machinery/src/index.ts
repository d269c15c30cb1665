/**
 * What an API object is: codecs, quantity, selectors, patches, apply, Status, clock.
 *
 * @packageDocumentation
 */
export {
  type ApplyOptions,
  apply,
  type OwnershipOptions,
  type UpdateOptions,
  updateManagedFields,
} from "./apply/apply.ts";
export {
  type ApplySchema,
  applySchemaOf,
  type ListSchema,
  type MapSchema,
  scalarSchema,
  untypedSchema,
} from "./apply/apply-schema.ts";
export { FieldSet, type FieldsV1, formatPath } from "./apply/fields-v1.ts";
export { lastAppliedAnnotation } from "./apply/last-applied.ts";
export { mergeTrees } from "./apply/merge-trees.ts";
export { TypedTreeError } from "./apply/typed-tree.ts";
export { formatComplaints, validateTree } from "./apply/validate-tree.ts";
export * from "./clock.ts";
export { canonicalize } from "./codec/canonical.ts";
export {
  decodeEnvelope,
  decodeObject,
  type Envelope,
  encodeEnvelope,
  encodeObject,
  isEnvelope,
} from "./codec/envelope.ts";
export {
  type Decoded,
  DecodeError,
  type DecodeOptions,
  decodeJSON,
  decodeTree,
  duplicateFields,
  encodeCanonicalJSON,
  encodeJSON,
  parseJSON,
} from "./codec/json.ts";
export { decodeProtobuf } from "./codec/proto-decode.ts";
export { encodeProtobuf } from "./codec/proto-encode.ts";
export { ProtobufError, ProtoReader } from "./codec/proto-reader.ts";
export { ProtoWriter } from "./codec/proto-writer.ts";
export { UnknownTypeError } from "./codec/shape.ts";
export {
  formatMicroTime,
  formatTime,
  normalizeMicroTime,
  normalizeTime,
  parseTime,
  TimeError,
} from "./codec/times.ts";
export {
  isProbablyJSON,
  parseYAML,
  parseYAMLDocuments,
  repeatedKeys,
  YAMLError,
  type YAMLOptions,
} from "./codec/yaml.ts";
export { formatYAML } from "./codec/yaml-text.ts";
export * from "./duration.ts";
export * from "./exec.ts";
export * from "./field-error.ts";
export * from "./field-path.ts";
export * from "./go-text.ts";
export { inInternalForm, internalTree } from "./internal-text.ts";
export * from "./ip-address.ts";
export * from "./json-tree.ts";
export * from "./log.ts";
export * from "./object.ts";
export {
  applyJSONPatch,
  asJSONPatch,
  type JSONPatchOperation,
  maxJSONPatchOperations,
} from "./patch/json-patch.ts";
export { applyMergePatch, createMergePatch } from "./patch/merge-patch.ts";
export { formatGoValue, PatchError, type PatchErrorKind } from "./patch/patch-error.ts";
export { applyStrategicMergePatch } from "./patch/strategic-merge-patch.ts";
export {
  milliQuantityOf,
  parseQuantity,
  Quantity,
  QuantityError,
  quantityOf,
} from "./quantity/quantity.ts";
export type { Format as QuantityFormat } from "./quantity/suffix.ts";
export * from "./random.ts";
export * from "./selectors/fields.ts";
export * from "./selectors/labels.ts";
export * from "./selectors/node-selector.ts";
export {
  type LabelOperator,
  type Labels,
  Requirement,
  SelectorError,
} from "./selectors/requirement.ts";
export * from "./selectors/tolerations.ts";
export * from "./status.ts";
export * from "./status-errors.ts";
export * from "./validation/names.ts";
export { wallTimeIn } from "./wall-time.ts";
