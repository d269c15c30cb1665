/**
 * Which images make room when the disk is full: those that nothing runs, the longest unused first.
 *
 * Units   percent of the file system that is used; bytes; ms
 * Source  pkg/kubelet/images/image_gc_manager.go
 */
export interface ImageUse {
  id: string;
  sizeBytes: number;
  pinned: boolean;
  inUse: boolean;
  detectedMs: number;
  lastUsedMs: number;
}

export interface ImageGCPolicy {
  highPercent: number;
  lowPercent: number;
  minAgeMs: number;
}

export interface DiskUse {
  capacityBytes: number;
  availableBytes: number;
}

export const usedPercent = ({ capacityBytes, availableBytes }: DiskUse): number =>
  100 - Math.floor((Math.min(availableBytes, capacityBytes) * 100) / capacityBytes);

/** How many bytes must go; 0 when there is room. */
export function bytesToFree(disk: DiskUse, policy: ImageGCPolicy): number {
  if (usedPercent(disk) < policy.highPercent) return 0;
  const free = Math.floor((disk.capacityBytes * (100 - policy.lowPercent)) / 100);
  return Math.max(0, free - disk.availableBytes);
}

export function imagesToRemove(
  images: readonly ImageUse[],
  toFreeBytes: number,
  clock: { nowMs: number; minAgeMs: number },
): ImageUse[] {
  const { nowMs, minAgeMs } = clock;
  const idle = images
    .filter(({ pinned, inUse }) => !pinned && !inUse)
    .filter(({ lastUsedMs, detectedMs }) => lastUsedMs < nowMs && nowMs - detectedMs >= minAgeMs)
    .sort((a, b) => a.lastUsedMs - b.lastUsedMs || a.detectedMs - b.detectedMs);
  const gone: ImageUse[] = [];
  let freed = 0;
  for (const image of idle) {
    if (freed >= toFreeBytes) break;
    gone.push(image);
    freed += image.sizeBytes;
  }
  return gone;
}
