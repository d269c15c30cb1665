/** Times and durations as the kubelet reads and tells them. Units: milliseconds. */

/** 0 for an absent one. */
export const parseTime = (text: string | undefined): number =>
  text === undefined ? 0 : Date.parse(text);

/** A duration as Go prints it: 1m30s, 5m0s, 10s, 1.5s, 250ms. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (Math.abs(ms) < 1000) return `${ms}ms`;
  const totalSeconds = ms / 1000;
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor((totalSeconds % 3600) / 60);
  const seconds = Math.round((totalSeconds % 60) * 1000) / 1000;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
