/** authentication/v1, generated: do not edit. */
import type { ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type BoundObjectReference = {
  kind?: string;
  apiVersion?: string;
  name?: string;
  uid?: string;
};
export type ExtraValue = string[];
/** authentication.k8s.io/v1 SelfSubjectReview */
export type SelfSubjectReview = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  status?: SelfSubjectReviewStatus;
};
export type SelfSubjectReviewStatus = {
  userInfo?: UserInfo;
};
/** authentication.k8s.io/v1 TokenRequest */
export type TokenRequest = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: TokenRequestSpec;
  status?: TokenRequestStatus;
};
export type TokenRequestSpec = {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: BoundObjectReference;
};
export type TokenRequestStatus = {
  token?: string;
  expirationTimestamp?: string;
};
/** authentication.k8s.io/v1 TokenReview */
export type TokenReview = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: TokenReviewSpec;
  status?: TokenReviewStatus;
};
export type TokenReviewSpec = {
  token?: string;
  audiences?: string[];
};
export type TokenReviewStatus = {
  authenticated?: boolean;
  user?: UserInfo;
  audiences?: string[];
  error?: string;
};
export type UserInfo = {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: { [key: string]: ExtraValue };
};
