/** What a server answered to a case, without what differs from run to run. */
import type { Tree } from "./case.ts";

export interface Step {
  step: "create" | "update" | "status";
  code: number;
  object?: unknown;
  message?: string;
}

export interface Recorded {
  steps: Step[];
  /** Cells by column, without age. */
  row?: Tree;
}

export type Recording = { [name: string]: Recorded };

const fromServer = new Set([
  "uid",
  "creationTimestamp",
  "resourceVersion",
  "managedFields",
  "selfLink",
]);

/** Whatever says when the server did something. */
const times = new Set(["lastTransitionTime", "lastPhaseTransitionTime", "lastUpdateTime"]);

/** Columns that say how long ago. */
const ages = new Set(["Age", "Last Schedule", "Duration", "Created At", "Last Seen", "First Seen"]);

export const rowOf = (columns: readonly { name: string }[], cells: readonly unknown[]): Tree =>
  Object.fromEntries(
    columns
      .map(({ name }, index): [string, unknown] => [name, cells[index]])
      .filter(([name]) => !ages.has(name)),
  );

/** Upstream shows values of its own types, whose fields have other names. */
const shownValue = /(Invalid|Unsupported|Duplicate) value: [{[].*?[}\]]: /g;
const shownDiff = /\n@@[\s\S]*?\n(?=, |\]$|$)/g;

/** Upstream walks maps in no order, so its errors come in any. */
export function comparable(message: string): string {
  const text = message.replace(shownDiff, "").replaceAll(shownValue, "$1 value: …: ");
  const several = / is (invalid|forbidden): \[/.exec(text);
  if (several === null) return text;
  const start = several.index + several[0].length;
  const parts = text.slice(start, -1).split(", ").sort();
  return `${text.slice(0, start)}${parts.join(", ")}]`;
}

/** Absent, null, "", {} and [] are one to Go's omitempty; here too. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(compact);
    return items.length === 0 ? undefined : items.map((item) => item ?? {});
  }
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([key, member]): [string, unknown] => [key, compact(member)])
    .filter(([key, member]) => member !== undefined && member !== "" && !times.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

export function withoutUID(tree: Tree, text: string): string {
  return text.replaceAll(String((tree.metadata as Tree | undefined)?.uid ?? "?"), "UID");
}

export function withoutServerFields(tree: Tree): unknown {
  const metadata = Object.fromEntries(
    Object.entries((tree.metadata ?? {}) as Tree).filter(([key]) => !fromServer.has(key)),
  );
  return JSON.parse(withoutUID(tree, JSON.stringify(compact({ ...tree, metadata }))));
}
