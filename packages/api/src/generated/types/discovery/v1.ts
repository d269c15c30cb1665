/** discovery/v1, generated: do not edit. */
import type { ObjectReference as core_v1_ObjectReference } from "../core/v1.ts";
import type { ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type Endpoint = {
  addresses?: string[];
  conditions?: EndpointConditions;
  hostname?: string;
  targetRef?: core_v1_ObjectReference;
  deprecatedTopology?: { [key: string]: string };
  nodeName?: string;
  zone?: string;
  hints?: EndpointHints;
};
export type EndpointConditions = {
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
};
export type EndpointHints = {
  forZones?: ForZone[];
  forNodes?: ForNode[];
};
export type EndpointPort = {
  name?: string;
  protocol?: "SCTP" | "TCP" | "UDP" | (string & {});
  port?: number;
  appProtocol?: string;
};
/** discovery.k8s.io/v1 EndpointSlice */
export type EndpointSlice = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  addressType?: "FQDN" | "IPv4" | "IPv6" | (string & {});
  endpoints?: Endpoint[];
  ports?: EndpointPort[];
};
/** discovery.k8s.io/v1 EndpointSliceList */
export type EndpointSliceList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: EndpointSlice[];
};
export type ForNode = {
  name?: string;
};
export type ForZone = {
  name?: string;
};
