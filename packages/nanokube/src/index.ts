/**
 * The launcher: a Kubernetes cluster on one machine, from its own command line or a program.
 *
 * @packageDocumentation
 */
export type { ClusterState, ComponentChoice, ComponentName } from "./core/cluster-state.ts";
export { ownComponents, serverURL, stateVersion } from "./core/cluster-state.ts";
export { normalizeImageName, parseImageReference } from "./core/image-reference.ts";
export { formatKubeconfig, type KubeconfigInput } from "./core/kubeconfig.ts";
export { type Network, type NodePlan, planNetwork, planNode, slotsMax } from "./core/topology.ts";
export {
  type ClusterPKI,
  clusterPKI,
  fileName,
  nodePKI,
  writeKubeconfigs,
} from "./io/cluster-pki.ts";
export { exec, run } from "./io/command.ts";
export { type DaemonRecord, Daemons, isRunning } from "./io/daemon.ts";
export { DataDir } from "./io/data-dir.ts";
export { down } from "./io/down.ts";
export { type ImageSpec, ImageStore, type StoredImage } from "./io/image-store.ts";
export type { LayerEntry } from "./io/layer.ts";
export { freeSlot, mayLowerOOMScore, noContainersReason } from "./io/machine.ts";
export { buildBaseImages, buildNodeImage } from "./io/machine-images.ts";
export {
  bootNode,
  cgroupName,
  endNode,
  ensureBridge,
  type NodeNamespace,
  removeBridge,
  spawnOnNode,
} from "./io/node-namespace.ts";
export {
  type Authority,
  type CertificateRequest,
  createAuthority,
  issue,
  type KeyPair,
  type Validity,
} from "./io/pki.ts";
export { processorMs, residentBytes } from "./io/process-usage.ts";
export { findProgram, findUpstream } from "./io/programs.ts";
export { startRegistry } from "./io/registry.ts";
export { startReplacedKubelet, startReplacedKubeProxy } from "./io/replaced-node.ts";
export { machineSocket, registryPort, runtimeSocket, startRuntime } from "./io/runtime.ts";
export { type RunningCluster, up } from "./io/up.ts";
export type { UpOptions } from "./io/wanted-state.ts";
