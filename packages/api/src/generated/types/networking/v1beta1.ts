/** networking/v1beta1, generated: do not edit. */
import type { TypedLocalObjectReference as core_v1_TypedLocalObjectReference } from "../core/v1.ts";
import type { Condition as meta_v1_Condition, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type HTTPIngressPath = {
  path?: string;
  pathType?: string;
  backend?: IngressBackend;
};
export type HTTPIngressRuleValue = {
  paths?: HTTPIngressPath[];
};
/** networking.k8s.io/v1beta1 IPAddress */
export type IPAddress = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: IPAddressSpec;
};
/** networking.k8s.io/v1beta1 IPAddressList */
export type IPAddressList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: IPAddress[];
};
export type IPAddressSpec = {
  parentRef?: ParentReference;
};
/** networking.k8s.io/v1beta1 Ingress */
export type Ingress = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: IngressSpec;
  status?: IngressStatus;
};
export type IngressBackend = {
  serviceName?: string;
  servicePort?: number | string;
  resource?: core_v1_TypedLocalObjectReference;
};
/** networking.k8s.io/v1beta1 IngressClass */
export type IngressClass = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: IngressClassSpec;
};
/** networking.k8s.io/v1beta1 IngressClassList */
export type IngressClassList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: IngressClass[];
};
export type IngressClassParametersReference = {
  apiGroup?: string;
  kind?: string;
  name?: string;
  scope?: string;
  namespace?: string;
};
export type IngressClassSpec = {
  controller?: string;
  parameters?: IngressClassParametersReference;
};
/** networking.k8s.io/v1beta1 IngressList */
export type IngressList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Ingress[];
};
export type IngressLoadBalancerIngress = {
  ip?: string;
  hostname?: string;
  ports?: IngressPortStatus[];
};
export type IngressLoadBalancerStatus = {
  ingress?: IngressLoadBalancerIngress[];
};
export type IngressPortStatus = {
  port?: number;
  protocol?: "SCTP" | "TCP" | "UDP" | (string & {});
  error?: string;
};
export type IngressRule = IngressRuleValue & {
  host?: string;
};
export type IngressRuleValue = {
  http?: HTTPIngressRuleValue;
};
export type IngressSpec = {
  ingressClassName?: string;
  backend?: IngressBackend;
  tls?: IngressTLS[];
  rules?: IngressRule[];
};
export type IngressStatus = {
  loadBalancer?: IngressLoadBalancerStatus;
};
export type IngressTLS = {
  hosts?: string[];
  secretName?: string;
};
export type ParentReference = {
  group?: string;
  resource?: string;
  namespace?: string;
  name?: string;
};
/** networking.k8s.io/v1beta1 ServiceCIDR */
export type ServiceCIDR = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ServiceCIDRSpec;
  status?: ServiceCIDRStatus;
};
/** networking.k8s.io/v1beta1 ServiceCIDRList */
export type ServiceCIDRList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ServiceCIDR[];
};
export type ServiceCIDRSpec = {
  cidrs?: string[];
};
export type ServiceCIDRStatus = {
  conditions?: meta_v1_Condition[];
};
