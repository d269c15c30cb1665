/**
 * What the clock on the wall shows in a time zone, as if it were UTC.
 *
 * Units   milliseconds since the epoch in and out; fractions of a second are kept
 * Errors  RangeError for a zone that the runtime does not know
 */
export function wallTimeIn(zone: string): (ms: number) => number {
  if (zone === "UTC" || zone === "Etc/UTC") return (ms) => ms;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (ms) => {
    const part = Object.fromEntries(
      format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]),
    );
    const day = [part["year"]!, part["month"]! - 1, part["day"]!] as const;
    const fraction = ((ms % 1000) + 1000) % 1000;
    return Date.UTC(...day, part["hour"], part["minute"], part["second"]) + fraction;
  };
}
