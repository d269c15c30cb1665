/**
 * What becomes of a container's old logs when its newest has grown too large.
 *
 * Shapes  N.log.20060102-150405 rotated, N.log.….gz compressed, N.log.….tmp being compressed
 *         of maxFiles one is written to and one has just been rotated
 * Source  pkg/kubelet/logs/container_log_manager.go
 */
export interface RotationPlan {
  remove: string[];
  compress: string[];
}

export function planRotation(rotated: readonly string[], maxFiles: number): RotationPlan {
  const names = new Set(rotated);
  const unused = (name: string) =>
    name.endsWith(".tmp") || (!name.endsWith(".gz") && names.has(`${name}.gz`));
  const used = rotated.filter((name) => !unused(name)).sort();
  const surplus = Math.max(0, used.length - Math.max(0, maxFiles - 2));
  return {
    remove: [...rotated.filter(unused), ...used.slice(0, surplus)],
    compress: used.slice(surplus).filter((name) => !name.endsWith(".gz")),
  };
}

/** `20060102-150405`, so that names sort by age. */
export const rotationStamp = (nowMs: number): string =>
  new Date(nowMs).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
