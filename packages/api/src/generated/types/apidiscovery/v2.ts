/** apidiscovery/v2, generated: do not edit. */
import type { GroupVersionKind as meta_v1_GroupVersionKind, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** apidiscovery.k8s.io/v2 APIGroupDiscovery */
export type APIGroupDiscovery = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  versions?: APIVersionDiscovery[];
};
/** apidiscovery.k8s.io/v2 APIGroupDiscoveryList */
export type APIGroupDiscoveryList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: APIGroupDiscovery[];
};
export type APIResourceDiscovery = {
  resource?: string;
  responseKind?: meta_v1_GroupVersionKind;
  scope?: string;
  singularResource?: string;
  verbs?: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: APISubresourceDiscovery[];
};
export type APISubresourceDiscovery = {
  subresource?: string;
  responseKind?: meta_v1_GroupVersionKind;
  acceptedTypes?: meta_v1_GroupVersionKind[];
  verbs?: string[];
};
export type APIVersionDiscovery = {
  version?: string;
  resources?: APIResourceDiscovery[];
  freshness?: string;
};
