/** certificates/v1beta1, generated: do not edit. */
import type { Condition as meta_v1_Condition, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** certificates.k8s.io/v1beta1 CertificateSigningRequest */
export type CertificateSigningRequest = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: CertificateSigningRequestSpec;
  status?: CertificateSigningRequestStatus;
};
export type CertificateSigningRequestCondition = {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
};
/** certificates.k8s.io/v1beta1 CertificateSigningRequestList */
export type CertificateSigningRequestList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: CertificateSigningRequest[];
};
export type CertificateSigningRequestSpec = {
  request?: string;
  signerName?: string;
  expirationSeconds?: number;
  usages?: string[];
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: { [key: string]: ExtraValue };
};
export type CertificateSigningRequestStatus = {
  conditions?: CertificateSigningRequestCondition[];
  certificate?: string;
};
/** certificates.k8s.io/v1beta1 ClusterTrustBundle */
export type ClusterTrustBundle = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ClusterTrustBundleSpec;
};
/** certificates.k8s.io/v1beta1 ClusterTrustBundleList */
export type ClusterTrustBundleList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ClusterTrustBundle[];
};
export type ClusterTrustBundleSpec = {
  signerName?: string;
  trustBundle?: string;
};
export type ExtraValue = string[];
/** certificates.k8s.io/v1beta1 PodCertificateRequest */
export type PodCertificateRequest = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: PodCertificateRequestSpec;
  status?: PodCertificateRequestStatus;
};
/** certificates.k8s.io/v1beta1 PodCertificateRequestList */
export type PodCertificateRequestList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: PodCertificateRequest[];
};
export type PodCertificateRequestSpec = {
  signerName?: string;
  podName?: string;
  podUID?: string;
  serviceAccountName?: string;
  serviceAccountUID?: string;
  nodeName?: string;
  nodeUID?: string;
  maxExpirationSeconds?: number;
  pkixPublicKey?: string;
  proofOfPossession?: string;
  stubPKCS10Request?: string;
  unverifiedUserAnnotations?: { [key: string]: string };
};
export type PodCertificateRequestStatus = {
  conditions?: meta_v1_Condition[];
  certificateChain?: string;
  notBefore?: string;
  beginRefreshAt?: string;
  notAfter?: string;
};
