/**
 * Cron schedules: five fields, names, ranges, steps, and @hourly … @yearly. `next` finds the first
 * time after a moment.
 *
 * Units   times in milliseconds; a zone by its IANA name
 * Errors  ScheduleError for what is no schedule: robfig/cron's rules
 * Source  github.com/robfig/cron v3 parser.go, spec.go
 */
import { wallTimeIn } from "@nanokube/machinery";

export class ScheduleError extends Error {}

export interface Schedule {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  weekdays: ReadonlySet<number>;
  /** With both given, either is enough; a star is no limit. */
  anyDay: boolean;
  anyWeekday: boolean;
}

const shorthands: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const monthNames = [
  "jan",
  "feb",
  "mar",
  "apr",
  "may",
  "jun",
  "jul",
  "aug",
  "sep",
  "oct",
  "nov",
  "dec",
];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const daysMax = 5 * 366;

export function parseSchedule(text: string): Schedule {
  const fields = (shorthands[text.trim()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5) {
    throw new ScheduleError(
      `expected exactly 5 fields, found ${fields.length}: ${JSON.stringify(fields)}`,
    );
  }
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const weekdays = parseField(weekday, 0, 7, (name) => dayNames.indexOf(name));
  if (weekdays.has(7)) weekdays.add(0);
  return {
    minutes: parseField(minute, 0, 59),
    hours: parseField(hour, 0, 23),
    days: parseField(day, 1, 31),
    months: parseField(month, 1, 12, (name) => monthNames.indexOf(name) + 1),
    weekdays,
    anyDay: isStar(day),
    anyWeekday: isStar(weekday),
  };
}

function isStar(field: string): boolean {
  return /^[*?]/.test(field);
}

function parseField(
  field: string,
  min: number,
  max: number,
  named: (name: string) => number = () => -1,
): Set<number> {
  const values = new Set<number>();
  const number = (text: string): number => {
    const value = /^[0-9]+$/.test(text) ? Number(text) : named(text.toLowerCase());
    if (value < min) throw new ScheduleError(`failed to parse int from ${text}`);
    if (value > max)
      throw new ScheduleError(`end of range (${value}) above maximum (${max}): ${field}`);
    return value;
  };
  for (const part of field.split(",")) {
    const [range = "", stepText, ...more] = part.split("/");
    if (more.length > 0) throw new ScheduleError(`too many slashes: ${part}`);
    const [firstText = "", lastText, ...rest] = range.split("-");
    if (rest.length > 0) throw new ScheduleError(`too many hyphens: ${part}`);
    const star = firstText === "*" || firstText === "?";
    const first = star ? min : number(firstText);
    const open = star || (stepText !== undefined && lastText === undefined);
    const last = open ? max : lastText === undefined ? first : number(lastText);
    const step = stepText === undefined ? 1 : Number(stepText);
    if (first > last)
      throw new ScheduleError(
        `beginning of range (${first}) beyond end of range (${last}): ${part}`,
      );
    if (!Number.isInteger(step) || step <= 0)
      throw new ScheduleError(`step of range should be a positive number: ${part}`);
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

/** undefined when it never comes: "0 0 31 2 *". */
export function nextTime(schedule: Schedule, afterMs: number, zone = "UTC"): number | undefined {
  const clock = wallClock(zone);
  const start = Math.floor(afterMs / 60_000) * 60_000 + 60_000;
  let day = clock.toWall(start);
  day -= day % 86_400_000;
  for (let count = 0; count <= daysMax; count++, day += 86_400_000) {
    if (!isDay(schedule, day)) continue;
    for (const hour of [...schedule.hours].sort((a, b) => a - b)) {
      for (const minute of [...schedule.minutes].sort((a, b) => a - b)) {
        const wall = day + hour * 3_600_000 + minute * 60_000;
        const ms = clock.fromWall(wall);
        // A time that the clock skips, when summer begins, doesn't come on that day.
        if (ms !== undefined && ms >= start) return ms;
      }
    }
  }
  return undefined;
}

function isDay(schedule: Schedule, wallMs: number): boolean {
  const date = new Date(wallMs);
  if (!schedule.months.has(date.getUTCMonth() + 1)) return false;
  const day = schedule.days.has(date.getUTCDate());
  const weekday = schedule.weekdays.has(date.getUTCDay());
  return schedule.anyDay || schedule.anyWeekday ? day && weekday : day || weekday;
}

interface WallClock {
  /** What the clock on the wall shows, as if it were UTC. */
  toWall(ms: number): number;
  fromWall(wallMs: number): number | undefined;
}

function wallClock(zone: string): WallClock {
  const toWall = wallTimeIn(zone);
  const fromWall = (wallMs: number): number | undefined => {
    // The offset of the zone at about that time, then at exactly that time.
    const guess = wallMs - (toWall(wallMs) - wallMs);
    for (const ms of [guess, guess - 3_600_000, guess + 3_600_000])
      if (toWall(ms) === wallMs) return ms;
    return undefined;
  };
  return { toWall, fromWall };
}

/** For a user's field: does the runtime know the zone? */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
