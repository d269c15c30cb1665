/**
 * A CSI driver that keeps volumes in a directory of the node.
 *
 * @packageDocumentation
 */
export { type DeploymentOptions, deployment } from "./core/deployment.ts";
export { topologyKey } from "./core/volume.ts";
export { type CsiHostpath, type CsiHostpathOptions, createCsiHostpath } from "./io/csi-hostpath.ts";
