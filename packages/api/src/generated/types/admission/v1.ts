/** admission/v1, generated: do not edit. */
import type { UserInfo as authentication_v1_UserInfo } from "../authentication/v1.ts";
import type { GroupVersionKind as meta_v1_GroupVersionKind, GroupVersionResource as meta_v1_GroupVersionResource, Status as meta_v1_Status } from "../meta/v1.ts";
export type AdmissionRequest = {
  uid?: string;
  kind?: meta_v1_GroupVersionKind;
  resource?: meta_v1_GroupVersionResource;
  subResource?: string;
  requestKind?: meta_v1_GroupVersionKind;
  requestResource?: meta_v1_GroupVersionResource;
  requestSubResource?: string;
  name?: string;
  namespace?: string;
  operation?: string;
  userInfo?: authentication_v1_UserInfo;
  object?: { [field: string]: unknown };
  oldObject?: { [field: string]: unknown };
  dryRun?: boolean;
  options?: { [field: string]: unknown };
};
export type AdmissionResponse = {
  uid?: string;
  allowed?: boolean;
  status?: meta_v1_Status;
  patch?: string;
  patchType?: string;
  auditAnnotations?: { [key: string]: string };
  warnings?: string[];
};
/** admission.k8s.io/v1 AdmissionReview */
export type AdmissionReview = {
  kind?: string;
  apiVersion?: string;
  request?: AdmissionRequest;
  response?: AdmissionResponse;
};
