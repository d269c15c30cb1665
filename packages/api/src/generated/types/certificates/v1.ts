/** certificates/v1, generated: do not edit. */
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** certificates.k8s.io/v1 CertificateSigningRequest */
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
/** certificates.k8s.io/v1 CertificateSigningRequestList */
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
  usages?: ("any" | "cert sign" | "client auth" | "code signing" | "content commitment" | "crl sign" | "data encipherment" | "decipher only" | "digital signature" | "email protection" | "encipher only" | "ipsec end system" | "ipsec tunnel" | "ipsec user" | "key agreement" | "key encipherment" | "microsoft sgc" | "netscape sgc" | "ocsp signing" | "s/mime" | "server auth" | "signing" | "timestamping" | (string & {}))[];
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: { [key: string]: ExtraValue };
};
export type CertificateSigningRequestStatus = {
  conditions?: CertificateSigningRequestCondition[];
  certificate?: string;
};
export type ExtraValue = string[];
