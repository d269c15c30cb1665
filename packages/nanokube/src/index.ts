/**
 * The launcher: a Kubernetes cluster on one machine, from its own command line or a program.
 *
 * @packageDocumentation
 */
export type { ClusterState, ComponentChoice, ComponentName } from "./core/cluster-state.ts";
export { normalizeImageName, parseImageReference } from "./core/image-reference.ts";
export { formatKubeconfig, type KubeconfigInput } from "./core/kubeconfig.ts";
export { DataDir } from "./io/data-dir.ts";
export { down } from "./io/down.ts";
export { type ImageSpec, ImageStore, type StoredImage } from "./io/image-store.ts";
export type { LayerEntry } from "./io/layer.ts";
export { type Authority, createAuthority, issue, type KeyPair } from "./io/pki.ts";
export { type RunningCluster, type UpOptions, up } from "./io/up.ts";
