/** Sends a group's requests in order and keeps what is answered. */
import { typeOf } from "@nanokube/api";
import { encodeEnvelope, encodeProtobuf, type KubeObject } from "@nanokube/machinery";
import type { RestAnswer, RestRequest } from "../subjects/apiserver.ts";
import { comparable } from "./comparable.ts";
import type { CorpusAnswer, CorpusCase, CorpusGroup } from "./corpus-case.ts";
import { differencesOf } from "./differences.ts";

export type Send = (request: RestRequest) => Promise<RestAnswer>;

interface Known {
  continue: string;
  resourceVersion: string;
  name: string;
}

/** What earlier cases were answered with, by their names. */
class Memory {
  readonly #known = new Map<string, Known>();
  #latest = "";

  learn({ name, path }: CorpusCase, { status, text }: RestAnswer): void {
    if (status >= 300 || !text.startsWith("{")) return;
    try {
      const { metadata } = JSON.parse(text) as { metadata?: Partial<Known> };
      const { resourceVersion = "", name: object = "" } = metadata ?? {};
      const token = metadata?.continue ?? "";
      this.#known.set(name, { resourceVersion, name: object, continue: token });
      if (object !== "" && !path.includes("dryRun")) this.#latest = resourceVersion;
    } catch {
      // An answer that is cut off teaches nothing.
    }
  }

  fill(text: string): string {
    return text
      .replaceAll("$rv()", this.#latest)
      .replaceAll(/\$rv\(([^)]*)\)/g, (_, of: string) => this.#known.get(of)?.resourceVersion ?? "")
      .replaceAll(/\$continue\(([^)]*)\)/g, (_, of: string) => this.#known.get(of)?.continue ?? "")
      .replaceAll(/\$name\(([^)]*)\)/g, (_, of: string) => this.#known.get(of)?.name ?? "");
  }
}

/** `recorded`: what a case that settles is to come to; unknown while that is recorded. */
export async function runGroup(
  group: CorpusGroup,
  send: Send,
  recorded?: ReadonlyMap<string, CorpusAnswer>,
): Promise<Map<string, CorpusAnswer>> {
  const memory = new Memory();
  const answers = new Map<string, CorpusAnswer>();
  const ask = async (one: CorpusCase): Promise<CorpusAnswer> => {
    const { request, sent } = requestOf(one, memory);
    const wanted = recorded?.get(one.name);
    const isDone = wanted && ((answer: RestAnswer) => same(comparable(answer, sent), wanted));
    const answer = one.settles ? await settled(request, send, isDone) : await send(request);
    memory.learn(one, answer);
    return comparable(answer, sent);
  };
  for (const together of batches(group.cases)) {
    const answered = await Promise.all(together.map(ask));
    for (const [i, { name }] of together.entries()) {
      if (answers.has(name)) throw new Error(`${group.name}: two cases are called ${name}`);
      answers.set(name, answered[i]!);
    }
  }
  return answers;
}

const besideMax = 64;

/** One case after the other, but for those that are asked beside their like. */
function batches(cases: readonly CorpusCase[]): CorpusCase[][] {
  const found: CorpusCase[][] = [];
  for (const one of cases) {
    const last = found.at(-1);
    const joins = one.beside && last?.[0]?.beside && last.length < besideMax;
    if (joins) last.push(one);
    else found.push([one]);
  }
  return found;
}

const same = (a: CorpusAnswer, b: CorpusAnswer): boolean => differencesOf(a, b).length === 0;

const recordingMs = 300;
const replayingMs = 20;
const patienceMs = 8_000;

/**
 * Asks until background work is done: until the answer is the wanted one, or, when that is not
 * known yet, until two answers in a row are the same.
 */
async function settled(
  request: RestRequest,
  send: Send,
  isDone?: (answer: RestAnswer) => boolean,
): Promise<RestAnswer> {
  const pauseMs = isDone === undefined ? recordingMs : replayingMs;
  let before = await send(request);
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pauseMs) {
    if (isDone?.(before)) return before;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const now = await send(request);
    if (isDone === undefined && now.text === before.text) return now;
    before = now;
  }
  return before;
}

const agent = { "user-agent": "corpus/1" };
const protobuf = "application/vnd.kubernetes.protobuf";

/** The request with its body, if any, in protobuf, and an answer asked for in it. */
function inProtobuf(one: CorpusCase): CorpusCase {
  const headers = { ...one.headers, accept: protobuf, "content-type": protobuf };
  const object = one.body as KubeObject | undefined;
  if (object === undefined) return { ...one, headers };
  const { apiVersion = "", kind = "" } = object;
  const raw = encodeProtobuf(typeOf(apiVersion, kind)!, object);
  return { ...one, headers, body: encodeEnvelope(apiVersion, kind, raw) };
}

function requestOf(one: CorpusCase, memory: Memory): { request: RestRequest; sent: string } {
  const { method, path, body, headers, token } = one.protobuf ? inProtobuf(one) : one;
  if (body instanceof Uint8Array)
    return { request: { method, path, body, headers: { ...agent, ...headers } }, sent: path };
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const filled = text === undefined ? undefined : memory.fill(text);
  const request: RestRequest = {
    method,
    path: memory.fill(path),
    headers: { ...agent, ...headers },
    ...(filled === undefined ? {} : { body: filled }),
    ...(token === undefined ? {} : { token }),
  };
  return { request, sent: `${path} ${text ?? ""}` };
}
