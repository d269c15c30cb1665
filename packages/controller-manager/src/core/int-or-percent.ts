/**
 * IntOrString as a number of `total`: 3, "25%".
 *
 * Source  apimachinery util/intstr GetScaledValueFromIntOrPercent
 */
export function scaled(
  value: number | string | undefined,
  total: number,
  round: "up" | "down",
): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const percent = /^([0-9]+)%$/.exec(value)?.[1];
  if (percent === undefined) {
    throw new Error("invalid value for IntOrString: invalid type: string is not a percentage");
  }
  const exact = (Number(percent) * total) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}
