/**
 * Answers made comparable: what differs from run to run (ids, times, revisions) is replaced by a
 * word.
 */
import type { RestAnswer } from "../subjects/apiserver.ts";

export interface Recorded {
  status: number;
  type?: string;
  warning?: string;
  body: unknown;
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

export function normalize(answer: RestAnswer): Recorded {
  const type = String(answer.headers["content-type"] ?? "").replace(/;\s*charset=.*$/, "");
  const { warning } = answer.headers;
  return {
    status: answer.status,
    ...(type === "application/json" ? {} : { type }),
    ...(warning === undefined ? {} : { warning: String(warning) }),
    body: bodyOf(answer.text, type),
  };
}

function bodyOf(text: string, type: string): unknown {
  if (type !== "application/json") return words(text);
  try {
    return replaced(JSON.parse(text), "");
  } catch {
    return words(text);
  }
}

function words(text: string): string {
  return text
    .replaceAll(uid, "<uid>")
    .replaceAll(/"?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"?/g, "<time>")
    .replaceAll(/(resourceVersion\W+)\d+/g, "$1<rv>");
}

function withoutAge(cell: unknown): unknown {
  return typeof cell === "string" && /^\d+[smh]$/.test(cell) ? "<age>" : cell;
}

/** Members in one order, for JSON has none. */
function replaced(value: unknown, name: string): unknown {
  if (name === "cells") return (value as unknown[]).map(withoutAge);
  if (Array.isArray(value)) return value.map((item) => replaced(item, name));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    // The prose of table columns is upstream's own and not repeated here.
    if (name === "columnDefinitions") {
      return Object.fromEntries(entries.filter(([key]) => key !== "description"));
    }
    return Object.fromEntries(entries.map(([key, member]) => [key, replaced(member, key)]));
  }
  if (typeof value !== "string") return value;
  if (name === "resourceVersion") return value === "" ? "" : "<rv>";
  if (name === "continue") return value === "" ? "" : "<token>";
  if (time.test(value)) return "<time>";
  return words(value);
}
