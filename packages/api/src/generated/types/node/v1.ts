/** node/v1, generated: do not edit. */
import type { Toleration as core_v1_Toleration } from "../core/v1.ts";
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type Overhead = {
  podFixed?: { [key: string]: string };
};
/** node.k8s.io/v1 RuntimeClass */
export type RuntimeClass = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  handler?: string;
  overhead?: Overhead;
  scheduling?: Scheduling;
};
/** node.k8s.io/v1 RuntimeClassList */
export type RuntimeClassList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: RuntimeClass[];
};
export type Scheduling = {
  nodeSelector?: { [key: string]: string };
  tolerations?: core_v1_Toleration[];
};
