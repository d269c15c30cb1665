/** apiregistration/v1, generated: do not edit. */
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** apiregistration.k8s.io/v1 APIService */
export type APIService = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: APIServiceSpec;
  status?: APIServiceStatus;
};
export type APIServiceCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** apiregistration.k8s.io/v1 APIServiceList */
export type APIServiceList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: APIService[];
};
export type APIServiceSpec = {
  service?: ServiceReference;
  group?: string;
  version?: string;
  insecureSkipTLSVerify?: boolean;
  caBundle?: string;
  groupPriorityMinimum?: number;
  versionPriority?: number;
};
export type APIServiceStatus = {
  conditions?: APIServiceCondition[];
};
export type ServiceReference = {
  namespace?: string;
  name?: string;
  port?: number;
};
