/** scheduling/v1, generated: do not edit. */
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** scheduling.k8s.io/v1 PriorityClass */
export type PriorityClass = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  value?: number;
  globalDefault?: boolean;
  description?: string;
  preemptionPolicy?: "Never" | "PreemptLowerPriority" | (string & {});
};
/** scheduling.k8s.io/v1 PriorityClassList */
export type PriorityClassList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: PriorityClass[];
};
