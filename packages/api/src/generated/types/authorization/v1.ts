/** authorization/v1, generated: do not edit. */
import type { FieldSelectorRequirement as meta_v1_FieldSelectorRequirement, LabelSelectorRequirement as meta_v1_LabelSelectorRequirement, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type ExtraValue = string[];
export type FieldSelectorAttributes = {
  rawSelector?: string;
  requirements?: meta_v1_FieldSelectorRequirement[];
};
export type LabelSelectorAttributes = {
  rawSelector?: string;
  requirements?: meta_v1_LabelSelectorRequirement[];
};
/** authorization.k8s.io/v1 LocalSubjectAccessReview */
export type LocalSubjectAccessReview = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: SubjectAccessReviewSpec;
  status?: SubjectAccessReviewStatus;
};
export type NonResourceAttributes = {
  path?: string;
  verb?: string;
};
export type NonResourceRule = {
  verbs?: string[];
  nonResourceURLs?: string[];
};
export type ResourceAttributes = {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  fieldSelector?: FieldSelectorAttributes;
  labelSelector?: LabelSelectorAttributes;
};
export type ResourceRule = {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
};
/** authorization.k8s.io/v1 SelfSubjectAccessReview */
export type SelfSubjectAccessReview = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: SelfSubjectAccessReviewSpec;
  status?: SubjectAccessReviewStatus;
};
export type SelfSubjectAccessReviewSpec = {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: NonResourceAttributes;
};
/** authorization.k8s.io/v1 SelfSubjectRulesReview */
export type SelfSubjectRulesReview = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: SelfSubjectRulesReviewSpec;
  status?: SubjectRulesReviewStatus;
};
export type SelfSubjectRulesReviewSpec = {
  namespace?: string;
};
/** authorization.k8s.io/v1 SubjectAccessReview */
export type SubjectAccessReview = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: SubjectAccessReviewSpec;
  status?: SubjectAccessReviewStatus;
};
export type SubjectAccessReviewSpec = {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: NonResourceAttributes;
  user?: string;
  groups?: string[];
  extra?: { [key: string]: ExtraValue };
  uid?: string;
};
export type SubjectAccessReviewStatus = {
  allowed?: boolean;
  denied?: boolean;
  reason?: string;
  evaluationError?: string;
};
export type SubjectRulesReviewStatus = {
  resourceRules?: ResourceRule[];
  nonResourceRules?: NonResourceRule[];
  incomplete?: boolean;
  evaluationError?: string;
};
