/**
 * `grpc-timeout`: how long the caller still waits, at most 8 digits and a unit.
 *
 * Errors  undefined for a text that is not a timeout
 * Source  gRPC over HTTP2, "Timeout"
 */

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

export function parseTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * unitMs[match[2]!]!;
}

/** What is wrong with a text that is not a timeout, in grpc-go's words. */
export function timeoutFault(text: string): string {
  const quoted = JSON.stringify(text);
  if (text.length < 2) return `transport: timeout string is too short: ${quoted}`;
  if (text.length > 9) return `transport: timeout string is too long: ${quoted}`;
  if (!(text.at(-1)! in unitMs)) return `transport: timeout unit is not recognized: ${quoted}`;
  return `strconv.ParseUint: parsing ${JSON.stringify(text.slice(0, -1))}: invalid syntax`;
}

export function formatTimeout(ms: number): string {
  if (ms <= 0) return "0n";
  for (const [unit, size] of [
    ["u", 1e-3],
    ["m", 1],
    ["S", 1000],
    ["M", 60_000],
  ] as const) {
    const count = Math.ceil(ms / size);
    if (count < 1e8) return `${count}${unit}`;
  }
  return `${Math.min(Math.ceil(ms / unitMs.H!), 99_999_999)}H`;
}
