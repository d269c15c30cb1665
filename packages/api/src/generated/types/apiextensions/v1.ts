/** apiextensions/v1, generated: do not edit. */
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta, Status as meta_v1_Status } from "../meta/v1.ts";
export type ConversionRequest = {
  uid?: string;
  desiredAPIVersion?: string;
  objects?: ({ [field: string]: unknown })[];
};
export type ConversionResponse = {
  uid?: string;
  convertedObjects?: ({ [field: string]: unknown })[];
  result?: meta_v1_Status;
};
/** apiextensions.k8s.io/v1 ConversionReview */
export type ConversionReview = {
  kind?: string;
  apiVersion?: string;
  request?: ConversionRequest;
  response?: ConversionResponse;
};
export type CustomResourceColumnDefinition = {
  name?: string;
  type?: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath?: string;
};
export type CustomResourceConversion = {
  strategy?: string;
  webhook?: WebhookConversion;
};
/** apiextensions.k8s.io/v1 CustomResourceDefinition */
export type CustomResourceDefinition = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: CustomResourceDefinitionSpec;
  status?: CustomResourceDefinitionStatus;
};
export type CustomResourceDefinitionCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
  observedGeneration?: number;
};
/** apiextensions.k8s.io/v1 CustomResourceDefinitionList */
export type CustomResourceDefinitionList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: CustomResourceDefinition[];
};
export type CustomResourceDefinitionNames = {
  plural?: string;
  singular?: string;
  shortNames?: string[];
  kind?: string;
  listKind?: string;
  categories?: string[];
};
export type CustomResourceDefinitionSpec = {
  group?: string;
  names?: CustomResourceDefinitionNames;
  scope?: string;
  versions?: CustomResourceDefinitionVersion[];
  conversion?: CustomResourceConversion;
  preserveUnknownFields?: boolean;
};
export type CustomResourceDefinitionStatus = {
  conditions?: CustomResourceDefinitionCondition[];
  acceptedNames?: CustomResourceDefinitionNames;
  storedVersions?: string[];
  observedGeneration?: number;
};
export type CustomResourceDefinitionVersion = {
  name?: string;
  served?: boolean;
  storage?: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: CustomResourceValidation;
  subresources?: CustomResourceSubresources;
  additionalPrinterColumns?: CustomResourceColumnDefinition[];
  selectableFields?: SelectableField[];
};
export type CustomResourceSubresourceScale = {
  specReplicasPath?: string;
  statusReplicasPath?: string;
  labelSelectorPath?: string;
};
export type CustomResourceSubresourceStatus = { [field: string]: never };
export type CustomResourceSubresources = {
  status?: CustomResourceSubresourceStatus;
  scale?: CustomResourceSubresourceScale;
};
export type CustomResourceValidation = {
  openAPIV3Schema?: JSONSchemaProps;
};
export type ExternalDocumentation = {
  description?: string;
  url?: string;
};
export type JSONSchemaProps = {
  id?: string;
  "$schema"?: string;
  "$ref"?: string;
  description?: string;
  type?: string;
  format?: string;
  title?: string;
  default?: unknown;
  maximum?: number;
  exclusiveMaximum?: boolean;
  minimum?: number;
  exclusiveMinimum?: boolean;
  maxLength?: number;
  minLength?: number;
  pattern?: string;
  maxItems?: number;
  minItems?: number;
  uniqueItems?: boolean;
  multipleOf?: number;
  enum?: unknown[];
  maxProperties?: number;
  minProperties?: number;
  required?: string[];
  items?: JSONSchemaPropsOrArray;
  allOf?: JSONSchemaProps[];
  oneOf?: JSONSchemaProps[];
  anyOf?: JSONSchemaProps[];
  not?: JSONSchemaProps;
  properties?: { [key: string]: JSONSchemaProps };
  additionalProperties?: JSONSchemaPropsOrBool;
  patternProperties?: { [key: string]: JSONSchemaProps };
  dependencies?: { [key: string]: JSONSchemaPropsOrStringArray };
  additionalItems?: JSONSchemaPropsOrBool;
  definitions?: { [key: string]: JSONSchemaProps };
  externalDocs?: ExternalDocumentation;
  example?: unknown;
  nullable?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-validations"?: ValidationRule[];
};
export type JSONSchemaPropsOrArray = JSONSchemaProps | JSONSchemaProps[];
export type JSONSchemaPropsOrBool = JSONSchemaProps | boolean;
export type JSONSchemaPropsOrStringArray = JSONSchemaProps | string[];
export type SelectableField = {
  jsonPath?: string;
};
export type ServiceReference = {
  namespace?: string;
  name?: string;
  path?: string;
  port?: number;
};
export type ValidationRule = {
  rule?: string;
  message?: string;
  messageExpression?: string;
  reason?: "FieldValueDuplicate" | "FieldValueForbidden" | "FieldValueInvalid" | "FieldValueRequired" | (string & {});
  fieldPath?: string;
  optionalOldSelf?: boolean;
};
export type WebhookClientConfig = {
  url?: string;
  service?: ServiceReference;
  caBundle?: string;
};
export type WebhookConversion = {
  clientConfig?: WebhookClientConfig;
  conversionReviewVersions?: string[];
};
