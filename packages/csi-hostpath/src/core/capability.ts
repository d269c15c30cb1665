/**
 * How a volume may be used: mounted or as a raw device, by one or by several on this one node.
 *
 * Source  CSI v1.9 spec.md VolumeCapability; kubernetes-csi/csi-driver-host-path
 *         pkg/hostpath/controllerserver.go
 */
import { csi } from "@nanokube/rpc";
import { refuse } from "./errors.ts";
import type { AccessType } from "./volume.ts";

const modes = csi.VolumeCapability_AccessMode_Mode;
/** A directory of one node is never on two. */
const oneNode = new Set<number>([
  modes.SINGLE_NODE_WRITER,
  modes.SINGLE_NODE_READER_ONLY,
  modes.SINGLE_NODE_SINGLE_WRITER,
  modes.SINGLE_NODE_MULTI_WRITER,
]);

export const isSingleWriter = (capability: csi.VolumeCapability): boolean =>
  capability.accessMode?.mode === modes.SINGLE_NODE_SINGLE_WRITER;

export const accessTypeOf = (capability: csi.VolumeCapability): AccessType =>
  capability.block === undefined ? "mount" : "block";

/** The one access type of all capabilities; INVALID_ARGUMENT otherwise. */
export function accessTypeOfAll(capabilities: readonly csi.VolumeCapability[]): AccessType {
  if (capabilities.length === 0) {
    refuse("INVALID_ARGUMENT", "Volume Capabilities missing in request");
  }
  for (const capability of capabilities) {
    const problem = problemWith(capability);
    if (problem !== undefined) refuse("INVALID_ARGUMENT", problem);
  }
  const found = new Set(capabilities.map(accessTypeOf));
  if (found.size > 1) {
    refuse("INVALID_ARGUMENT", "cannot have both block and mount access type");
  }
  return [...found][0]!;
}

/** Why this driver cannot do it, in words; undefined when it can. */
export function problemWith(capability: csi.VolumeCapability): string | undefined {
  const { mount, block, accessMode } = capability;
  if (mount === undefined && block === undefined) return "cannot have no access type";
  if (accessMode === undefined || accessMode.mode === modes.UNKNOWN) {
    return "cannot have no access mode";
  }
  if (!oneNode.has(accessMode.mode)) {
    const name = Object.entries(modes).find(([, mode]) => mode === accessMode.mode)?.[0];
    return `access mode ${name ?? accessMode.mode} is not supported: volumes are on one node`;
  }
  if (mount !== undefined && mount.volumeMountGroup !== "") {
    return "volume_mount_group is not supported";
  }
  return undefined;
}
