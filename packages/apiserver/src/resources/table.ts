/**
 * Table cells: the words and durations that `kubectl get` shows.
 *
 * Shapes  columns("Name, Desired:integer, IP*")  one entry a column; `:type` unless it is a string,
 *         `*` for a column that only `-o wide` shows; "Name" has the format "name"
 * Units   now, durations in milliseconds
 * Source  pkg/printers/internalversion/printers.go,
 *         staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go
 */
import type { Container } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import type { Column } from "../core/strategy.ts";

export function columns(spec: string): readonly Column[] {
  return spec.split(", ").map((entry) => {
    const wide = entry.endsWith("*");
    const [name = "", type = "string"] = (wide ? entry.slice(0, -1) : entry).split(":");
    const column: Column = {
      name,
      type: type as Column["type"],
      description: "",
      priority: wide ? 1 : 0,
    };
    if (name === "Name") column.format = "name";
    return column;
  });
}

/** "5s", "3m20s", "26h", "3d4h" …: two units at most, fewer as it grows. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  if (days < 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (days < 365 * 8) return withRest(years, "y", days % 365, "d");
  return `${years}y`;
}

function withRest(value: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${value}${unit}` : `${value}${unit}${rest}${restUnit}`;
}

export function since(timestamp: string | null | undefined, now: number): string {
  if (timestamp === undefined || timestamp === null || timestamp === "") return "<unknown>";
  return humanDuration(now - Date.parse(timestamp));
}

export function age(object: { metadata?: { creationTimestamp?: string | null } }, now: number) {
  return since(object.metadata?.creationTimestamp, now);
}

export function nameOf(object: { metadata?: { name?: string } }): string {
  return object.metadata?.name ?? "";
}

/** "a=1,b=2", or "<none>". */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}

/** The selector as kubectl takes it on its command line; "<none>" when it is empty. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const text = labelSelectorText(selector);
  return text === "" ? "<none>" : text;
}

export function labelSelectorText(selector: LabelSelector | undefined): string {
  if (!selector) return "";
  const parts: [string, string][] = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]) => [key, `${key}=${value}`],
  );
  for (const { key = "", operator = "", values = [] } of selector.matchExpressions ?? []) {
    const list = [...values].sort().join(",");
    if (operator === "In") parts.push([key, `${key} in (${list})`]);
    else if (operator === "NotIn") parts.push([key, `${key} notin (${list})`]);
    else if (operator === "Exists") parts.push([key, key]);
    else if (operator === "DoesNotExist") parts.push([key, `!${key}`]);
    else return "<error>";
  }
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(",");
}

export function containerCells(containers: readonly Container[] | undefined): [string, string] {
  const list = containers ?? [];
  return [list.map((c) => c.name ?? "").join(","), list.map((c) => c.image ?? "").join(",")];
}

/** The first `max`, then how many more there are; `empty` when there is none. */
export function listWithMore(list: readonly string[], max: number, empty: string): string {
  const shown = list.slice(0, max).join(",");
  if (list.length > max) return `${shown} + ${list.length - max} more...`;
  return shown === "" ? empty : shown;
}
