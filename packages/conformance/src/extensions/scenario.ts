/**
 * Requests told in order, and what a server answered to each of them.
 *
 * A scenario is a list of steps; a server's answers are compared without what differs from run to
 * run (uids, times, resource versions), with causes sorted: Go visits maps in any order.
 */
import type { ApiServerInstance } from "../subjects/apiserver.ts";

export interface Step {
  method: string;
  path: string;
  body?: unknown;
  type?: string;
  /** Waits until a GET of this path has these words in it, before the request is sent. */
  after?: { path: string; words: string };
  /** Who asks, when not the administrator. */
  as?: string;
  /** Sent again until the answer has these words in it. */
  until?: string;
  /** The answer is not compared: the step only prepares. */
  quiet?: boolean;
}

export interface Scenario {
  name: string;
  steps: readonly Step[];
}

export interface StepAnswer {
  code: number;
  reason?: string;
  message?: string;
  causes?: string[];
  warnings?: string[];
  object?: unknown;
}

type Tree = Record<string, unknown>;

const waitMs = 15_000;

async function waitFor(server: ApiServerInstance, path: string, words: string): Promise<void> {
  const until = Date.now() + waitMs;
  for (;;) {
    const { text } = await server.send({ method: "GET", path });
    if (text.includes(words)) return;
    if (Date.now() > until) throw new Error(`${path} never had ${words}: ${text.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Words = Readonly<Record<string, string>>;

function spelledOut(body: unknown, words: Words): unknown {
  let text = JSON.stringify(body);
  for (const [word, meant] of Object.entries(words)) text = text.replaceAll(word, meant);
  return JSON.parse(text);
}

async function sendUntil(server: ApiServerInstance, step: Step, words: Words) {
  const until = Date.now() + waitMs;
  for (;;) {
    const answer = await server.send({
      method: step.method,
      path: step.path,
      ...(step.body === undefined ? {} : { body: spelledOut(step.body, words) }),
      headers: {
        "content-type": step.type ?? "application/json",
        ...(step.as === undefined ? {} : { "impersonate-user": step.as }),
      },
    });
    const all = `${answer.text} ${answer.headers.warning ?? ""}`;
    if (step.until === undefined || all.includes(step.until)) return answer;
    if (Date.now() > until) throw new Error(`never had ${step.until}: ${all.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** `words` are what `$WORD`s in bodies stand for. */
export async function play(
  server: ApiServerInstance,
  scenario: Scenario,
  words: Words = {},
): Promise<StepAnswer[]> {
  const answers: StepAnswer[] = [];
  for (const step of scenario.steps) {
    if (step.after !== undefined) await waitFor(server, step.after.path, step.after.words);
    const { status, headers, text } = await sendUntil(server, step, words);
    if (step.quiet && status >= 400) throw new Error(`${step.method} ${step.path}: ${text}`);
    if (!step.quiet) answers.push(answerOf(status, headers.warning, text));
  }
  return answers;
}

function answerOf(
  status: number,
  warning: string | string[] | undefined,
  text: string,
): StepAnswer {
  let tree: Tree;
  try {
    tree = JSON.parse(text) as Tree;
  } catch {
    return eventsIn(status, text) ?? { code: status, message: text.trim() };
  }
  const all = Array.isArray(warning) ? warning.join(", ") : (warning ?? "");
  const warnings = [...all.matchAll(/299 - "((?:[^"\\]|\\.)*)"/gu)].map((found) =>
    stable(found[1]!),
  );
  const more = warnings.length === 0 ? {} : { warnings: warnings.sort() };
  if (tree["kind"] === "Status") {
    const details = (tree["details"] ?? {}) as Tree;
    const causes = ((details["causes"] ?? []) as Tree[])
      .map((cause) => stable(`${cause["reason"]} ${cause["field"]}: ${cause["message"]}`))
      .sort();
    return {
      code: status,
      ...(tree["reason"] === undefined ? {} : { reason: String(tree["reason"]) }),
      ...(causes.length > 0 || tree["message"] === undefined
        ? {}
        : { message: stable(String(tree["message"])) }),
      ...(causes.length > 0 ? { causes } : {}),
      ...more,
    };
  }
  return { code: status, object: plain(tree), ...more };
}

/** The lines of a watch. */
function eventsIn(code: number, text: string): StepAnswer | undefined {
  try {
    const lines = text.trim().split("\n");
    return { code, object: lines.map((line) => plain(JSON.parse(line))) };
  } catch {
    return undefined;
  }
}

/** Generated names of types, request ids and ports differ from run to run. */
function stable(text: string): string {
  return text
    .replace(/selfType\d+/gu, "selfType")
    .replace(/127\.0\.0\.1:\d+/gu, "127.0.0.1:port")
    .replace(/(?:^|(?<=[ "]))read tcp .*?: /gu, "")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gu, "uid");
}

const volatile = new Set([
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "managedFields",
  "lastTransitionTime",
  "selfLink",
]);

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "string") return stable(value);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !volatile.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, member]) => [key, plain(key === "conditions" ? byType(member) : member)]),
  );
}

/** Several controllers write them, in any order. */
function byType(conditions: unknown): unknown {
  if (!Array.isArray(conditions)) return conditions;
  const typeOf = (one: { type?: string }) => one.type ?? "";
  return conditions.toSorted((a, b) => (typeOf(a) < typeOf(b) ? -1 : 1));
}
