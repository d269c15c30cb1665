/**
 * Makes a Pod real through CRI, CNI, CSI and cgroups.
 *
 * @packageDocumentation
 */
export { createKubelet } from "./io/kubelet.ts";
export type { Kubelet, KubeletOptions, ServingOptions } from "./io/kubelet-options.ts";
