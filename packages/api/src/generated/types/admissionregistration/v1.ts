/** admissionregistration/v1, generated: do not edit. */
import type { Condition as meta_v1_Condition, LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type ApplyConfiguration = {
  expression?: string;
};
export type AuditAnnotation = {
  key?: string;
  valueExpression?: string;
};
export type ExpressionWarning = {
  fieldRef?: string;
  warning?: string;
};
export type JSONPatch = {
  expression?: string;
};
export type MatchCondition = {
  name?: string;
  expression?: string;
};
export type MatchResources = {
  namespaceSelector?: meta_v1_LabelSelector;
  objectSelector?: meta_v1_LabelSelector;
  resourceRules?: NamedRuleWithOperations[];
  excludeResourceRules?: NamedRuleWithOperations[];
  matchPolicy?: "Equivalent" | "Exact" | (string & {});
};
/** admissionregistration.k8s.io/v1 MutatingAdmissionPolicy */
export type MutatingAdmissionPolicy = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: MutatingAdmissionPolicySpec;
};
/** admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding */
export type MutatingAdmissionPolicyBinding = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: MutatingAdmissionPolicyBindingSpec;
};
/** admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBindingList */
export type MutatingAdmissionPolicyBindingList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: MutatingAdmissionPolicyBinding[];
};
export type MutatingAdmissionPolicyBindingSpec = {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
};
/** admissionregistration.k8s.io/v1 MutatingAdmissionPolicyList */
export type MutatingAdmissionPolicyList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: MutatingAdmissionPolicy[];
};
export type MutatingAdmissionPolicySpec = {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  variables?: Variable[];
  mutations?: Mutation[];
  failurePolicy?: "Fail" | "Ignore" | (string & {});
  matchConditions?: MatchCondition[];
  reinvocationPolicy?: "IfNeeded" | "Never" | (string & {});
};
export type MutatingWebhook = {
  name?: string;
  clientConfig?: WebhookClientConfig;
  rules?: RuleWithOperations[];
  failurePolicy?: "Fail" | "Ignore" | (string & {});
  matchPolicy?: "Equivalent" | "Exact" | (string & {});
  namespaceSelector?: meta_v1_LabelSelector;
  objectSelector?: meta_v1_LabelSelector;
  sideEffects?: "None" | "NoneOnDryRun" | "Some" | "Unknown" | (string & {});
  timeoutSeconds?: number;
  admissionReviewVersions?: string[];
  reinvocationPolicy?: "IfNeeded" | "Never" | (string & {});
  matchConditions?: MatchCondition[];
};
/** admissionregistration.k8s.io/v1 MutatingWebhookConfiguration */
export type MutatingWebhookConfiguration = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  webhooks?: MutatingWebhook[];
};
/** admissionregistration.k8s.io/v1 MutatingWebhookConfigurationList */
export type MutatingWebhookConfigurationList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: MutatingWebhookConfiguration[];
};
export type Mutation = {
  patchType?: "ApplyConfiguration" | "JSONPatch" | (string & {});
  applyConfiguration?: ApplyConfiguration;
  jsonPatch?: JSONPatch;
};
export type NamedRuleWithOperations = RuleWithOperations & {
  resourceNames?: string[];
};
export type ParamKind = {
  apiVersion?: string;
  kind?: string;
};
export type ParamRef = {
  name?: string;
  namespace?: string;
  selector?: meta_v1_LabelSelector;
  parameterNotFoundAction?: string;
};
export type Rule = {
  apiGroups?: string[];
  apiVersions?: string[];
  resources?: string[];
  scope?: "*" | "Cluster" | "Namespaced" | (string & {});
};
export type RuleWithOperations = Rule & {
  operations?: ("*" | "CONNECT" | "CREATE" | "DELETE" | "UPDATE" | (string & {}))[];
};
export type ServiceReference = {
  namespace?: string;
  name?: string;
  path?: string;
  port?: number;
};
export type TypeChecking = {
  expressionWarnings?: ExpressionWarning[];
};
/** admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy */
export type ValidatingAdmissionPolicy = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ValidatingAdmissionPolicySpec;
  status?: ValidatingAdmissionPolicyStatus;
};
/** admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding */
export type ValidatingAdmissionPolicyBinding = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ValidatingAdmissionPolicyBindingSpec;
};
/** admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBindingList */
export type ValidatingAdmissionPolicyBindingList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ValidatingAdmissionPolicyBinding[];
};
export type ValidatingAdmissionPolicyBindingSpec = {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
  validationActions?: ("Audit" | "Deny" | "Warn" | (string & {}))[];
};
/** admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyList */
export type ValidatingAdmissionPolicyList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ValidatingAdmissionPolicy[];
};
export type ValidatingAdmissionPolicySpec = {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  validations?: Validation[];
  failurePolicy?: "Fail" | "Ignore" | (string & {});
  auditAnnotations?: AuditAnnotation[];
  matchConditions?: MatchCondition[];
  variables?: Variable[];
};
export type ValidatingAdmissionPolicyStatus = {
  observedGeneration?: number;
  typeChecking?: TypeChecking;
  conditions?: meta_v1_Condition[];
};
export type ValidatingWebhook = {
  name?: string;
  clientConfig?: WebhookClientConfig;
  rules?: RuleWithOperations[];
  failurePolicy?: "Fail" | "Ignore" | (string & {});
  matchPolicy?: "Equivalent" | "Exact" | (string & {});
  namespaceSelector?: meta_v1_LabelSelector;
  objectSelector?: meta_v1_LabelSelector;
  sideEffects?: "None" | "NoneOnDryRun" | "Some" | "Unknown" | (string & {});
  timeoutSeconds?: number;
  admissionReviewVersions?: string[];
  matchConditions?: MatchCondition[];
};
/** admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration */
export type ValidatingWebhookConfiguration = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  webhooks?: ValidatingWebhook[];
};
/** admissionregistration.k8s.io/v1 ValidatingWebhookConfigurationList */
export type ValidatingWebhookConfigurationList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ValidatingWebhookConfiguration[];
};
export type Validation = {
  expression?: string;
  message?: string;
  reason?: string;
  messageExpression?: string;
};
export type Variable = {
  name?: string;
  expression?: string;
};
export type WebhookClientConfig = {
  url?: string;
  service?: ServiceReference;
  caBundle?: string;
};
