/** rbac/v1, generated: do not edit. */
import type { LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type AggregationRule = {
  clusterRoleSelectors?: meta_v1_LabelSelector[];
};
/** rbac.authorization.k8s.io/v1 ClusterRole */
export type ClusterRole = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  rules?: PolicyRule[];
  aggregationRule?: AggregationRule;
};
/** rbac.authorization.k8s.io/v1 ClusterRoleBinding */
export type ClusterRoleBinding = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  subjects?: Subject[];
  roleRef?: RoleRef;
};
/** rbac.authorization.k8s.io/v1 ClusterRoleBindingList */
export type ClusterRoleBindingList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ClusterRoleBinding[];
};
/** rbac.authorization.k8s.io/v1 ClusterRoleList */
export type ClusterRoleList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ClusterRole[];
};
export type PolicyRule = {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
};
/** rbac.authorization.k8s.io/v1 Role */
export type Role = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  rules?: PolicyRule[];
};
/** rbac.authorization.k8s.io/v1 RoleBinding */
export type RoleBinding = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  subjects?: Subject[];
  roleRef?: RoleRef;
};
/** rbac.authorization.k8s.io/v1 RoleBindingList */
export type RoleBindingList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: RoleBinding[];
};
/** rbac.authorization.k8s.io/v1 RoleList */
export type RoleList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Role[];
};
export type RoleRef = {
  apiGroup?: string;
  kind?: string;
  name?: string;
};
export type Subject = {
  kind?: string;
  apiGroup?: string;
  name?: string;
  namespace?: string;
};
