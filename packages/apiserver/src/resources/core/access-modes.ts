/**
 * Access modes as kubectl abbreviates them.
 *
 * Source  pkg/apis/core/helper/helpers.go GetAccessModesAsString
 */
const abbreviations = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
] as const;

export function accessModesText(modes: readonly string[] | undefined): string {
  return abbreviations
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(",");
}
