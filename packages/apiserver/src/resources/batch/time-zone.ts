/**
 * Names of time zones (IANA).
 *
 * Source  pkg/apis/batch/validation/validation.go validateTimeZone
 */
export function timeZoneProblem(zone: string): string | undefined {
  if (zone === "") return "timeZone must be nil or non-empty string";
  const parts = zone.split("/");
  const form = /^[A-Za-z.\-_0-9+]{1,14}$/;
  const bad = parts.some(
    (part) => part === "." || part === ".." || part.startsWith("-") || !form.test(part),
  );
  if (bad) return `unknown time zone ${zone}`;
  if (zone.toLowerCase() === "local") {
    return "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
  }
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return undefined;
  } catch {
    return `unknown time zone ${zone}`;
  }
}
