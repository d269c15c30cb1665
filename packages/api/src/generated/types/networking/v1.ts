/** networking/v1, generated: do not edit. */
import type { TypedLocalObjectReference as core_v1_TypedLocalObjectReference } from "../core/v1.ts";
import type { Condition as meta_v1_Condition, LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type HTTPIngressPath = {
  path?: string;
  pathType?: "Exact" | "ImplementationSpecific" | "Prefix" | (string & {});
  backend?: IngressBackend;
};
export type HTTPIngressRuleValue = {
  paths?: HTTPIngressPath[];
};
/** networking.k8s.io/v1 IPAddress */
export type IPAddress = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: IPAddressSpec;
};
/** networking.k8s.io/v1 IPAddressList */
export type IPAddressList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: IPAddress[];
};
export type IPAddressSpec = {
  parentRef?: ParentReference;
};
export type IPBlock = {
  cidr?: string;
  except?: string[];
};
/** networking.k8s.io/v1 Ingress */
export type Ingress = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: IngressSpec;
  status?: IngressStatus;
};
export type IngressBackend = {
  service?: IngressServiceBackend;
  resource?: core_v1_TypedLocalObjectReference;
};
/** networking.k8s.io/v1 IngressClass */
export type IngressClass = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: IngressClassSpec;
};
/** networking.k8s.io/v1 IngressClassList */
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
/** networking.k8s.io/v1 IngressList */
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
export type IngressServiceBackend = {
  name?: string;
  port?: ServiceBackendPort;
};
export type IngressSpec = {
  ingressClassName?: string;
  defaultBackend?: IngressBackend;
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
/** networking.k8s.io/v1 NetworkPolicy */
export type NetworkPolicy = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: NetworkPolicySpec;
};
export type NetworkPolicyEgressRule = {
  ports?: NetworkPolicyPort[];
  to?: NetworkPolicyPeer[];
};
export type NetworkPolicyIngressRule = {
  ports?: NetworkPolicyPort[];
  from?: NetworkPolicyPeer[];
};
/** networking.k8s.io/v1 NetworkPolicyList */
export type NetworkPolicyList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: NetworkPolicy[];
};
export type NetworkPolicyPeer = {
  podSelector?: meta_v1_LabelSelector;
  namespaceSelector?: meta_v1_LabelSelector;
  ipBlock?: IPBlock;
};
export type NetworkPolicyPort = {
  protocol?: "SCTP" | "TCP" | "UDP" | (string & {});
  port?: number | string;
  endPort?: number;
};
export type NetworkPolicySpec = {
  podSelector?: meta_v1_LabelSelector;
  ingress?: NetworkPolicyIngressRule[];
  egress?: NetworkPolicyEgressRule[];
  policyTypes?: ("Egress" | "Ingress" | (string & {}))[];
};
export type ParentReference = {
  group?: string;
  resource?: string;
  namespace?: string;
  name?: string;
};
export type ServiceBackendPort = {
  name?: string;
  number?: number;
};
/** networking.k8s.io/v1 ServiceCIDR */
export type ServiceCIDR = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ServiceCIDRSpec;
  status?: ServiceCIDRStatus;
};
/** networking.k8s.io/v1 ServiceCIDRList */
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
