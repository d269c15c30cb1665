/**
 * `getFullYear()`, `getHours("Europe/Berlin")` … of times and durations.
 *
 * Source  cel-go common/types/{timestamp,duration}.go
 */
import { quoteGo } from "../../go-text.ts";
import { wallTimeIn } from "../../wall-time.ts";
import { CelDuration, CelError, CelTimestamp, type Value } from "../values.ts";
import type { Implementation, Library } from "./function.ts";

/** Wall-clock milliseconds of a moment in a zone, as if they were UTC. */
function inZone(ms: number, zone: Value | undefined): number | CelError {
  if (zone === undefined || zone === "UTC" || zone === "") return ms;
  if (typeof zone !== "string") return new CelError("no such overload");
  const colon = zone.indexOf(":");
  if (colon >= 0) {
    const hours = Number(zone.slice(0, colon));
    const minutes = Number(zone.slice(colon + 1));
    if (!/^[+-]?\d+$/u.test(zone.slice(0, colon)) || Number.isNaN(minutes)) {
      const bad = Number.isInteger(hours) ? zone.slice(colon + 1) : zone.slice(0, colon);
      return new CelError(`strconv.Atoi: parsing ${quoteGo(bad)}: invalid syntax`);
    }
    const offset = Math.abs(hours) * 60 + minutes;
    return ms + (zone.startsWith("-") ? -offset : offset) * 60_000;
  }
  try {
    return wallTimeIn(zone)(ms);
  } catch {
    return new CelError(`unknown time zone ${zone}`);
  }
}

function ofTime(read: (date: Date) => number): Implementation {
  return (value, zone) => {
    if (!(value instanceof CelTimestamp)) return undefined;
    const floor = value.nanos >= 0n ? value.nanos : value.nanos - 999_999n;
    const ms = inZone(Number(floor / 1_000_000n), zone);
    return typeof ms === "number" ? BigInt(read(new Date(ms))) : ms;
  };
}

function either(read: (date: Date) => number, perUnit: bigint): Implementation {
  const time = ofTime(read);
  return (value, zone) => {
    if (!(value instanceof CelDuration)) return time(value, ...(zone === undefined ? [] : [zone]));
    return value.nanos / perUnit;
  };
}

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start) / 86_400_000);
}

export const calendar: Library = {
  getFullYear: ofTime((date) => date.getUTCFullYear()),
  getMonth: ofTime((date) => date.getUTCMonth()),
  getDayOfYear: ofTime(dayOfYear),
  getDayOfMonth: ofTime((date) => date.getUTCDate() - 1),
  getDate: ofTime((date) => date.getUTCDate()),
  getDayOfWeek: ofTime((date) => date.getUTCDay()),
  getHours: either((date) => date.getUTCHours(), 3_600_000_000_000n),
  getMinutes: either((date) => date.getUTCMinutes(), 60_000_000_000n),
  getSeconds: either((date) => date.getUTCSeconds(), 1_000_000_000n),
  getMilliseconds: either((date) => date.getUTCMilliseconds(), 1_000_000n),
};
