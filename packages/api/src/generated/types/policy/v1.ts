/** policy/v1, generated: do not edit. */
import type { Condition as meta_v1_Condition, DeleteOptions as meta_v1_DeleteOptions, LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** policy/v1 Eviction */
export type Eviction = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  deleteOptions?: meta_v1_DeleteOptions;
};
/** policy/v1 PodDisruptionBudget */
export type PodDisruptionBudget = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: PodDisruptionBudgetSpec;
  status?: PodDisruptionBudgetStatus;
};
/** policy/v1 PodDisruptionBudgetList */
export type PodDisruptionBudgetList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: PodDisruptionBudget[];
};
export type PodDisruptionBudgetSpec = {
  minAvailable?: number | string;
  selector?: meta_v1_LabelSelector;
  maxUnavailable?: number | string;
  unhealthyPodEvictionPolicy?: "AlwaysAllow" | "IfHealthyBudget" | (string & {});
};
export type PodDisruptionBudgetStatus = {
  observedGeneration?: number;
  disruptedPods?: { [key: string]: string };
  disruptionsAllowed?: number;
  currentHealthy?: number;
  desiredHealthy?: number;
  expectedPods?: number;
  conditions?: meta_v1_Condition[];
};
