/** flowcontrol/v1, generated: do not edit. */
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type ExemptPriorityLevelConfiguration = {
  nominalConcurrencyShares?: number;
  lendablePercent?: number;
};
export type FlowDistinguisherMethod = {
  type?: string;
};
/** flowcontrol.apiserver.k8s.io/v1 FlowSchema */
export type FlowSchema = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: FlowSchemaSpec;
  status?: FlowSchemaStatus;
};
export type FlowSchemaCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** flowcontrol.apiserver.k8s.io/v1 FlowSchemaList */
export type FlowSchemaList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: FlowSchema[];
};
export type FlowSchemaSpec = {
  priorityLevelConfiguration?: PriorityLevelConfigurationReference;
  matchingPrecedence?: number;
  distinguisherMethod?: FlowDistinguisherMethod;
  rules?: PolicyRulesWithSubjects[];
};
export type FlowSchemaStatus = {
  conditions?: FlowSchemaCondition[];
};
export type GroupSubject = {
  name?: string;
};
export type LimitResponse = {
  type?: string;
  queuing?: QueuingConfiguration;
};
export type LimitedPriorityLevelConfiguration = {
  nominalConcurrencyShares?: number;
  limitResponse?: LimitResponse;
  lendablePercent?: number;
  borrowingLimitPercent?: number;
};
export type NonResourcePolicyRule = {
  verbs?: string[];
  nonResourceURLs?: string[];
};
export type PolicyRulesWithSubjects = {
  subjects?: Subject[];
  resourceRules?: ResourcePolicyRule[];
  nonResourceRules?: NonResourcePolicyRule[];
};
/** flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration */
export type PriorityLevelConfiguration = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: PriorityLevelConfigurationSpec;
  status?: PriorityLevelConfigurationStatus;
};
export type PriorityLevelConfigurationCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfigurationList */
export type PriorityLevelConfigurationList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: PriorityLevelConfiguration[];
};
export type PriorityLevelConfigurationReference = {
  name?: string;
};
export type PriorityLevelConfigurationSpec = {
  type?: string;
  limited?: LimitedPriorityLevelConfiguration;
  exempt?: ExemptPriorityLevelConfiguration;
};
export type PriorityLevelConfigurationStatus = {
  conditions?: PriorityLevelConfigurationCondition[];
};
export type QueuingConfiguration = {
  queues?: number;
  handSize?: number;
  queueLengthLimit?: number;
};
export type ResourcePolicyRule = {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  clusterScope?: boolean;
  namespaces?: string[];
};
export type ServiceAccountSubject = {
  namespace?: string;
  name?: string;
};
export type Subject = {
  kind?: string;
  user?: UserSubject;
  group?: GroupSubject;
  serviceAccount?: ServiceAccountSubject;
};
export type UserSubject = {
  name?: string;
};
