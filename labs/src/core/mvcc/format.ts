/**
 * Operations and answers as lines for people: `put a 1`, `get a..c @3`, `a=1 (mod 2, version 1)`.
 */
import type { Kv, Operation, Query, Reply, Step, StepReply } from "./operation.ts";

const valueCharsMax = 24;
const kvsMax = 6;

const word = (text: string): string =>
  /^[\w/.-]+$/.test(text) ? text : JSON.stringify(text).replaceAll(/[\x7f-\xff]/g, escapeByte);

function escapeByte(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function valueText(value: string): string {
  if (value.length <= valueCharsMax) return word(value);
  return `${word(value.slice(0, 8))}…(${value.length} bytes)`;
}

function span(key: string, end: string | undefined): string {
  if (end === undefined) return word(key);
  return end === "" ? `${word(key)}..` : `${word(key)}..${word(end)}`;
}

function queryText({ key, end, revision, limit, countOnly }: Query): string {
  const parts = [span(key, end)];
  if (revision !== undefined) parts.push(`@${revision}`);
  if (limit !== undefined) parts.push(`limit ${limit}`);
  if (countOnly === true) parts.push("count only");
  return parts.join(" ");
}

function stepText(step: Step): string {
  switch (step.do) {
    case "put":
      return `put ${word(step.key)} ${valueText(step.value)}${step.lease ? ` lease ${step.lease}` : ""}`;
    case "delete":
      return `delete ${span(step.key, step.end)}`;
    case "range":
      return `get ${queryText(step.query)}`;
    case "peek":
      return `(another reader: get ${queryText(step.query)})`;
  }
}

const stepsMany = 8;

export function formatOperation(op: Operation): string {
  switch (op.op) {
    case "range":
      return `get ${queryText(op.query)}`;
    case "forkRange":
      return `get ${queryText(op.query)} from the fork`;
    case "txn": {
      if (op.steps.length === 1 && op.guard === undefined) return stepText(op.steps[0]!);
      const shown = op.steps.length > stepsMany ? 2 : op.steps.length;
      const more = op.steps.length - shown;
      const steps = op.steps.slice(0, shown).map(stepText);
      if (more > 0) steps.push(`… ${more} more`);
      const guard = op.guard ? `if version(${word(op.guard.key)}) = ${op.guard.version} ` : "";
      return `txn ${guard}{ ${steps.join("; ")} }`;
    }
    case "compact":
      return `compact ${op.revision}`;
    case "changes":
      return `changes at every revision from ${op.from}`;
    case "versions":
      return "every version held";
    case "state":
      return "revision and compacted revision";
    case "fork":
      return "fork";
    case "measure":
      return "memory in use";
  }
}

function kvText([key, value, create, mod, version, lease]: Kv): string {
  if (version === 0) return `${word(key)} deleted at ${mod}`;
  const leased = lease === "0" ? "" : `, lease ${lease}`;
  const facts = `create ${create}, mod ${mod}, version ${version}${leased}`;
  return `${word(key)}=${valueText(value)} (${facts})`;
}

function kvsText(kvs: readonly Kv[]): string {
  if (kvs.length === 0) return "nothing";
  const shown = kvs.slice(0, kvsMax).map(kvText);
  if (kvs.length > kvsMax) shown.push(`… ${kvs.length - kvsMax} more`);
  return shown.join(", ");
}

function stepReplyText(reply: StepReply): string {
  if ("kv" in reply) return kvText(reply.kv);
  if ("deleted" in reply) return `${reply.deleted} deleted`;
  return `${kvsText(reply.kvs)}; count ${reply.count}, revision ${reply.revision}`;
}

const errorTexts = {
  Compacted: "refused: required revision has been compacted",
  FutureRevision: "refused: required revision is a future revision",
} as const;

export function formatReply(reply: Reply): string {
  if ("error" in reply) return errorTexts[reply.error] ?? `refused: ${reply.error}`;
  if ("threw" in reply) return `threw ${reply.threw}`;
  if ("kvs" in reply) return stepReplyText(reply);
  if ("steps" in reply) {
    const steps = reply.steps.map(stepReplyText).join(" | ");
    const guard = reply.done ? "" : "guard false; ";
    return `${guard}${steps === "" ? "" : `${steps}; `}revision ${reply.revision}`;
  }
  if ("changes" in reply) return reply.changes.map((kvs) => `[${kvsText(kvs)}]`).join(" ");
  if ("versions" in reply) return kvsText(reply.versions);
  if ("forked" in reply) return `forked at revision ${reply.forked}`;
  if ("sizeBytes" in reply) return sizeText(reply.sizeBytes, reply.heapBytes);
  return `revision ${reply.revision}, compacted ${reply.compactedRevision}`;
}

const kib = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

function sizeText(sizeBytes: number, heapBytes: number): string {
  return `${kib(sizeBytes)} by its own account, ${kib(heapBytes)} measured`;
}

/** What would have been right, said before what came. */
export function formatExpected(reply: Reply, bound: (liveBytes: number) => number): string {
  if (!("sizeBytes" in reply)) return formatReply(reply);
  return `at most ${kib(bound(reply.sizeBytes))} (${kib(reply.sizeBytes)} are alive)`;
}
