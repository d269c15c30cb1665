/**
 * What is wrong with a cron schedule: five fields, or @daily and the like.
 *
 * Source  github.com/robfig/cron/v3 parser.go
 */
interface Bounds {
  min: number;
  max: number;
  names: readonly string[];
}

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const days = "sun mon tue wed thu fri sat".split(" ");

const fields: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];

const descriptors = [
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
];

function parseNumber(text: string, { names, min }: Bounds): number | string {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + min;
  if (/^[+-]?\d+$/.test(text)) {
    const value = Number(text);
    return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
  }
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}

function rangeProblem(text: string, bounds: Bounds): string | undefined {
  const [range = "", step, ...moreSteps] = text.split("/");
  const [low = "", high, ...moreBounds] = range.split("-");
  let [start, end] = [bounds.min, bounds.max];
  if (low === "*" || low === "?") {
    if (high !== undefined) return undefined;
  } else {
    const first = parseNumber(low, bounds);
    if (typeof first === "string") return first;
    start = first;
    if (moreBounds.length > 0) return `too many hyphens: ${text}`;
    if (high === undefined) end = step === undefined ? start : bounds.max;
    else {
      const last = parseNumber(high, bounds);
      if (typeof last === "string") return last;
      end = last;
    }
  }
  if (moreSteps.length > 0) return `too many slashes: ${text}`;
  if (step !== undefined) {
    const by = parseNumber(step, { ...bounds, names: [] });
    if (typeof by === "string") return by;
    if (by === 0) return `step of range should be a positive number: ${text}`;
  }
  if (start < bounds.min)
    return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return undefined;
}

export function scheduleProblem(schedule: string): string | undefined {
  let rest = schedule;
  const zone = /^(?:TZ|CRON_TZ)=(\S*)\s+(.*)$/.exec(schedule);
  if (zone !== null) rest = zone[2] ?? "";
  if (rest.startsWith("@")) {
    if (descriptors.includes(rest)) return undefined;
    if (rest.startsWith("@every ")) {
      const duration = rest.slice("@every ".length);
      if (/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(duration)) return undefined;
      return `failed to parse duration ${rest}: time: invalid duration ${JSON.stringify(duration)}`;
    }
    return `unrecognized descriptor: ${rest}`;
  }
  const parts = rest.trim().split(/\s+/);
  if (parts.length !== 5 || rest.trim() === "") {
    const found = rest.trim() === "" ? [] : parts;
    return `expected exactly 5 fields, found ${found.length}: [${found.join(" ")}]`;
  }
  for (const [i, part] of parts.entries()) {
    for (const one of part.split(",")) {
      const problem = one === "" ? undefined : rangeProblem(one, fields[i]!);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}
