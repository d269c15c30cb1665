/**
 * A client in a simulation: one operation after the other, at any member, all of it written down.
 */
import type { Random } from "@nanokube/machinery";
import { etcd } from "@nanokube/rpc";
import type { Entry } from "../core/entry.ts";
import { EtcdError, errors } from "../core/errors.ts";
import type { Consensus } from "../io/consensus.ts";
import type { Action, Operation } from "./linearizability.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimMember } from "./sim-member.ts";

export interface SimClientOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly members: () => readonly SimMember[];
  readonly keys: readonly string[];
  readonly name: string;
  readonly untilMs: number;
}

export class SimClient {
  readonly history: Operation[] = [];
  readonly #options: SimClientOptions;
  #count = 0;
  /** The last value it saw: what it will try to swap. */
  readonly #known = new Map<string, string | undefined>();

  constructor(options: SimClientOptions) {
    this.#options = options;
    this.#next();
  }

  #next(): void {
    const { scheduler, random, untilMs } = this.#options;
    const ms = random.next() * 40;
    if (scheduler.nowMs + ms < untilMs) scheduler.after(ms, () => this.#operate());
  }

  async #operate(): Promise<void> {
    const { scheduler, random, members, keys } = this.#options;
    const up = members().filter(({ isUp }) => isUp);
    const member = up[Math.floor(random.next() * up.length)];
    if (member === undefined) {
      this.#next();
      return;
    }
    const key = keys[Math.floor(random.next() * keys.length)]!;
    const action = this.#choose(key);
    const callMs = scheduler.nowMs;
    try {
      const done = await member.ask((consensus) => carryOut(consensus, key, action));
      this.history.push({ key, action: done, callMs, returnMs: scheduler.nowMs });
      if (done.type === "get") this.#known.set(key, done.result);
    } catch (error) {
      const isUndone = error instanceof EtcdError && errors[error.kind].definite;
      if (action.type !== "get" && !isUndone) {
        this.history.push({ key, action, callMs, returnMs: Number.POSITIVE_INFINITY });
      }
    }
    this.#next();
  }

  #choose(key: string): Action {
    const { random, name } = this.#options;
    const value = `${name}-${++this.#count}`;
    const dice = random.next();
    if (dice < 0.45) return { type: "get" };
    if (dice < 0.7) return { type: "put", value };
    if (dice < 0.78) return { type: "delete" };
    return { type: "swap", expect: this.#known.get(key), value };
  }
}

async function carryOut(consensus: Consensus, key: string, action: Action): Promise<Action> {
  const { proposals, state } = consensus;
  if (action.type === "get") {
    await proposals.barrier();
    const value = state.store.range({ key, end: undefined }).kvs[0]?.value;
    return { type: "get", result: value === undefined ? undefined : String(value) };
  }
  const response = await proposals.propose(entryOf(key, action));
  if (action.type !== "swap") return action;
  return { ...action, succeeded: (response as etcd.TxnResponse).succeeded };
}

function entryOf(text: string, action: Exclude<Action, { type: "get" }>): Entry {
  const key = Buffer.from(text);
  if (action.type === "delete") {
    return { kind: "deleteRange", request: etcd.DeleteRangeRequest.fill({ key }) };
  }
  const requestPut = { key, value: Buffer.from(action.value) };
  if (action.type === "put") return { kind: "put", request: etcd.PutRequest.fill(requestPut) };
  const { expect } = action;
  const compare =
    expect === undefined
      ? { key, target: 0, result: 0, version: 0 }
      : { key, target: 3, result: 0, value: Buffer.from(expect) };
  const success = [{ requestPut }];
  return { kind: "txn", request: etcd.TxnRequest.fill({ compare: [compare], success }) };
}
