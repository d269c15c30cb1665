/**
 * Times on the wire: RFC 3339 in UTC, whole seconds (Time) or six digits (MicroTime).
 *
 * Shapes  normalizeTime(s)       any RFC 3339 text → "2026-01-02T03:04:05Z"; the zero time → null
 *         normalizeMicroTime(s)  six digits demanded → "2026-01-02T03:04:05.000000Z"
 *         formatTime(ms)         milliseconds since the epoch → Time
 * Errors  TimeError with Go's texts
 * Source  k8s.io/apimachinery/pkg/apis/meta/v1/time.go, micro_time.go; Go time/format.go
 */
import { quoteGo } from "../go-text.ts";

export class TimeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TimeError";
  }
}

const layoutSeconds = "2006-01-02T15:04:05Z07:00";
const layoutMicro = "2006-01-02T15:04:05.000000Z07:00";

const seconds =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(Z|([+-])(\d\d):(\d\d))$/;
const micros = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)[.,](\d{6})(Z|([+-])(\d\d):(\d\d))$/;

const secondsOfZeroTime = -62135596800;

interface Instant {
  epochSeconds: number;
  micros: number;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Seconds since the epoch of a date in the proleptic calendar, years 0 to 9999. */
function epochSecondsOf(year: number, month: number, day: number, secondOfDay: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000 + secondOfDay;
}

function parse(text: string, pattern: RegExp, layout: string): Instant {
  const match = pattern.exec(text);
  if (match === null) throw new TimeError(explain(text, layout));
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const outOfRange = (what: string) =>
    new TimeError(`parsing time ${quoteGo(text)}: ${what} out of range`);
  if (month < 1 || month > 12) throw outOfRange("month");
  if (hour > 23) throw outOfRange("hour");
  if (minute > 59) throw outOfRange("minute");
  if (second > 59) throw outOfRange("second");
  const offsetHours = Number(match[10] ?? 0);
  const offsetMinutes = Number(match[11] ?? 0);
  if (offsetHours > 24) throw outOfRange("time zone offset hour");
  if (offsetMinutes > 60) throw outOfRange("time zone offset minute");
  if (day < 1 || day > daysIn(year, month)) throw outOfRange("day");
  let epochSeconds = epochSecondsOf(year, month, day, hour * 3600 + minute * 60 + second);
  const offset = offsetHours * 3600 + offsetMinutes * 60;
  epochSeconds += match[9] === "-" ? offset : -offset;
  return { epochSeconds, micros: Number((match[7] ?? "").slice(0, 6).padEnd(6, "0")) };
}

/** Go's words for a text that breaks off from the layout, and where. */
function explain(text: string, layout: string): string {
  const elements: [RegExp, string][] = [
    [/^\d{4}/, "2006"],
    [/^-/, "-"],
    [/^\d\d/, "01"],
    [/^-/, "-"],
    [/^\d\d/, "02"],
    [/^T/, "T"],
    [/^\d\d?/, "15"],
    [/^:/, ":"],
    [/^\d\d/, "04"],
    [/^:/, ":"],
    layout === layoutMicro ? [/^\d\d/, "05"] : [/^\d\d(?:[.,]\d+)?/, "05"],
    ...(layout === layoutMicro ? ([[/^[.,]\d{6}/, ".000000"]] as [RegExp, string][]) : []),
    [/^(?:Z|[+-]\d\d:\d\d)/, "Z07:00"],
  ];
  const prefix = `parsing time ${quoteGo(text)}`;
  let rest = text;
  for (const [pattern, name] of elements) {
    const found = pattern.exec(rest);
    if (found === null) {
      return `${prefix} as ${quoteGo(layout)}: cannot parse ${quoteGo(rest)} as ${quoteGo(name)}`;
    }
    rest = rest.slice(found[0].length);
  }
  return `${prefix}: extra text: ${quoteGo(rest)}`;
}

const digits = (n: number, width: number): string => String(n).padStart(width, "0");

function format(epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000);
  const year = digits(date.getUTCFullYear(), 4);
  const day = `${year}-${digits(date.getUTCMonth() + 1, 2)}-${digits(date.getUTCDate(), 2)}`;
  const hours = digits(date.getUTCHours(), 2);
  return `${day}T${hours}:${digits(date.getUTCMinutes(), 2)}:${digits(date.getUTCSeconds(), 2)}`;
}

/** The form nearly every text has already: nothing to change when its parts are in range. */
const canonical =
  /^(?!0001-)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

export function normalizeTime(text: string): string | null {
  if (canonical.test(text)) return text;
  const { epochSeconds, micros: fraction } = parse(text, seconds, layoutSeconds);
  if (epochSeconds === secondsOfZeroTime && fraction === 0) return null;
  return `${format(epochSeconds)}Z`;
}

export function normalizeMicroTime(text: string): string | null {
  const instant = parse(text, micros, layoutMicro);
  if (instant.epochSeconds === secondsOfZeroTime && instant.micros === 0) return null;
  return `${format(instant.epochSeconds)}.${digits(instant.micros, 6)}Z`;
}

/** A Time from the clock. */
export function formatTime(ms: number): string {
  return `${format(Math.floor(ms / 1000))}Z`;
}

/** A MicroTime from the clock; a fraction of a millisecond is kept. */
export function formatMicroTime(ms: number): string {
  const micro = Math.floor(ms * 1000);
  const whole = Math.floor(micro / 1_000_000);
  return `${format(whole)}.${digits(micro - whole * 1_000_000, 6)}Z`;
}

/**
 * Milliseconds since the epoch of any RFC 3339 text; undefined for an absent one. @throws TimeError
 */
export function parseTime(text: string | null | undefined): number | undefined {
  if (text === undefined || text === null) return undefined;
  const { epochSeconds, micros: fraction } = parse(text, seconds, layoutSeconds);
  return epochSeconds * 1000 + fraction / 1000;
}

/** Seconds and nanoseconds as protobuf's Timestamp has them; undefined for the zero time. */
export function timeToProto(
  text: string,
  withMicros: boolean,
): { seconds: number; nanos: number } | undefined {
  const instant = parse(text, seconds, layoutSeconds);
  if (instant.epochSeconds === secondsOfZeroTime && instant.micros === 0) return undefined;
  return { seconds: instant.epochSeconds, nanos: withMicros ? instant.micros * 1000 : 0 };
}

export function timeFromProto(epochSeconds: number): string | null {
  return epochSeconds === secondsOfZeroTime ? null : `${format(epochSeconds)}Z`;
}

export function microTimeFromProto(epochSeconds: number, nanos: number): string | null {
  if (epochSeconds === secondsOfZeroTime && nanos === 0) return null;
  return `${format(epochSeconds)}.${digits(Math.trunc(nanos / 1000), 6)}Z`;
}
