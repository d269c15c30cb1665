/**
 * Durations and times as Go reads and writes them.
 *
 * Units  nanoseconds
 * Source  Go time.ParseDuration, time.RFC3339, strconv.FormatFloat
 */

const unitNanos: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

export function parseGoDuration(text: string): bigint | undefined {
  const sign = text.startsWith("-") ? -1n : 1n;
  let rest = text.replace(/^[+-]/u, "");
  if (rest === "0") return 0n;
  if (rest === "") return undefined;
  let total = 0n;
  while (rest !== "") {
    const found = /^([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/u.exec(rest);
    if (found === null) return undefined;
    const [whole, digits = "", fraction = "", unit = ""] = found;
    if (digits === "" && fraction === "") return undefined;
    const scale = unitNanos[unit]!;
    total += BigInt(digits === "" ? "0" : digits) * scale;
    if (fraction !== "") total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
    rest = rest.slice(whole.length);
  }
  const signed = sign * total;
  return BigInt.asIntN(64, signed) === signed ? signed : undefined;
}

/** `90.5s`, as CEL writes durations: seconds, never in exponent form. */
export function durationText(nanos: bigint): string {
  const sign = nanos < 0n ? "-" : "";
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/u, "");
  return `${sign}${size / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}s`;
}

const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/u;

export function parseRFC3339(text: string): bigint | undefined {
  const found = rfc3339.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = found;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))
    return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  let seconds = BigInt(date.getTime() / 1000);
  if (zone !== "Z") {
    const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
    if (hours > 24 || minutes > 60) return undefined;
    const offset = BigInt(hours * 3600 + minutes * 60);
    seconds += zone[0] === "+" ? -offset : offset;
  }
  return seconds * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

/** RFC 3339 with as many digits of a second as it takes. */
export function timestampText(nanos: bigint): string {
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanos - fraction) / 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000);
  const text = date.toISOString().replace(/\.\d+Z$/u, "");
  const digits = fraction.toString().padStart(9, "0").replace(/0+$/u, "");
  return `${text}${digits === "" ? "" : `.${digits}`}Z`;
}

/** `%g` of a double: exponent form below 1e-4 and from 1e6. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const size = Math.abs(value);
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  if (size !== 0 && (Number(exponent) < -4 || Number(exponent) >= 6)) {
    const sign = exponent[0] === "-" ? "-" : "+";
    return `${mantissa}e${sign}${exponent.replace(/^[+-]/u, "").padStart(2, "0")}`;
  }
  return String(value);
}
