/**
 * Sizes: what was asked for, what is given.
 *
 * Directories are not held to their size, as upstream's driver does not hold them; raw devices are.
 *
 * Units   bytes
 * Source  CSI v1.9 spec.md CapacityRange; kubernetes-csi/csi-driver-host-path
 *         pkg/hostpath/controllerserver.go
 */
import type { csi } from "@nanokube/rpc";
import { refuse } from "./errors.ts";

export interface CapacityLimits {
  maxVolumeSizeBytes: number;
  /** Of all volumes together; undefined: what the disk has. */
  capacityBytes: number | undefined;
}

export function requestedSize(
  range: csi.CapacityRange | undefined,
  limits: CapacityLimits,
): number {
  const { requiredBytes = 0, limitBytes = 0 } = range ?? {};
  if (requiredBytes < 0 || limitBytes < 0) {
    refuse("INVALID_ARGUMENT", "capacity range must not be negative");
  }
  if (limitBytes > 0 && requiredBytes > limitBytes) {
    refuse("INVALID_ARGUMENT", `required bytes ${requiredBytes} exceed limit bytes ${limitBytes}`);
  }
  if (requiredBytes > limits.maxVolumeSizeBytes) {
    refuse(
      "OUT_OF_RANGE",
      `Requested capacity ${requiredBytes} exceeds maximum allowed ${limits.maxVolumeSizeBytes}`,
    );
  }
  return requiredBytes;
}

/** Does a volume of this size satisfy the range? */
export function fits(sizeBytes: number, range: csi.CapacityRange | undefined): boolean {
  const { requiredBytes = 0, limitBytes = 0 } = range ?? {};
  return sizeBytes >= requiredBytes && (limitBytes === 0 || sizeBytes <= limitBytes);
}

export function checkRoom(moreBytes: number, usedBytes: number, limits: CapacityLimits): void {
  const { capacityBytes } = limits;
  if (capacityBytes === undefined || usedBytes + moreBytes <= capacityBytes) return;
  const used = `${usedBytes} out of ${capacityBytes} already used`;
  refuse(
    "RESOURCE_EXHAUSTED",
    `requested capacity ${moreBytes} exceeds remaining capacity, ${used}`,
  );
}
