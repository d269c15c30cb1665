/**
 * An etcd as the subject of lab 01: the same questions over gRPC, answered by upstream.
 *
 * A history gets a prefix of its own, and its revisions are counted from where the etcd stood when
 * it began, so that one etcd serves many histories; nobody else may write to it meanwhile. What
 * only a store in the process has is asked by what can be seen from outside:
 *
 *   changesAt, versions   a watch from a start revision, and a range at the compacted revision
 *   compactedRevision     HashKV says it
 *   fork                  reads pinned to the revision of the fork
 *   memory                database bytes in use after compaction and defragmentation
 */
import {
  type Channel,
  codeName,
  codes,
  createClient,
  dial,
  etcd,
  type Init,
  RpcError,
} from "@nanokube/rpc";
import type {
  Kv,
  Operation,
  Query,
  RangeReply,
  Reply,
  Step,
  StepReply,
} from "../../core/mvcc/operation.ts";
import { sortVersions } from "../../core/mvcc/operation.ts";
import { EnvironmentError, type Session, type Subject } from "../../core/subject.ts";
import { firstRevisionOf, readChanges } from "./etcd-watch.ts";

const callMs = 10_000;
const connectMs = 3_000;
const leaseSeconds = 86_400;
const leaseIds = [1n, 2n, 3n];
/** No answer came, so nothing is known about the store. */
const lost: readonly number[] = [codes.CANCELLED, codes.DEADLINE_EXCEEDED, codes.UNAVAILABLE];

export interface EtcdCalls {
  readonly channel: Channel;
  readonly kv: ReturnType<typeof createClient<typeof etcd.KV>>;
  readonly watch: ReturnType<typeof createClient<typeof etcd.Watch>>;
  readonly maintenance: ReturnType<typeof createClient<typeof etcd.Maintenance>>;
  readonly lease: ReturnType<typeof createClient<typeof etcd.Lease>>;
}

export function createEtcdSubject(url: string): Subject<Operation, Reply> {
  let calls: EtcdCalls | undefined;
  let opened = 0;
  let lost: EnvironmentError | undefined;
  /** A connection that fails is nobody's fault; the rest of the grading does not wait for it again. */
  const environmental = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (lost !== undefined) throw lost;
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const reason = `${error.details} (${codeName(error.code)})`;
      lost = new EnvironmentError(`etcd at ${url}: ${reason}`);
      throw lost;
    }
  };
  return {
    name: `etcd ${url}`,
    kind: "server",
    open: () =>
      environmental(async (): Promise<Session<Operation, Reply>> => {
        calls ??= await connect(url);
        const base = await firstRevisionOf(calls.kv, "labs/base");
        const prefix = `labs/${base}-${opened++}/`;
        const session = new EtcdSession(calls, prefix, base);
        const run = (op: Operation) => environmental(() => session.run(op));
        return { isPipelined: false, run, close: async () => {} };
      }),
    close: async () => calls?.channel.close(),
  };
}

async function connect(url: string): Promise<EtcdCalls> {
  const channel = dial(url);
  const calls: EtcdCalls = {
    channel,
    kv: createClient(channel, etcd.KV),
    watch: createClient(channel, etcd.Watch),
    maintenance: createClient(channel, etcd.Maintenance),
    lease: createClient(channel, etcd.Lease),
  };
  try {
    const wait = { waitForReady: true, timeoutMs: connectMs };
    const { leases } = await calls.lease.leaseLeases({}, wait);
    const granted = new Set(leases.map((lease) => lease.ID));
    for (const ID of leaseIds) {
      if (!granted.has(ID)) await calls.lease.leaseGrant({ ID, TTL: leaseSeconds }, wait);
    }
    return calls;
  } catch (error) {
    channel.close();
    throw error;
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

class EtcdSession {
  readonly #calls: EtcdCalls;
  readonly #prefix: string;
  /** The etcd's revision that this history calls 1. */
  readonly #base: number;
  #compacted = -1;
  #forked = 0;
  #sizeBefore: number | undefined;

  constructor(calls: EtcdCalls, prefix: string, base: number) {
    this.#calls = calls;
    this.#prefix = prefix;
    this.#base = base;
  }

  async run(op: Operation): Promise<Reply> {
    try {
      return await this.#ask(op);
    } catch (error) {
      if (!(error instanceof RpcError) || lost.includes(error.code)) throw error;
      if (error.code !== codes.OUT_OF_RANGE) {
        return { threw: `${codeName(error.code)}: ${error.details}` };
      }
      return { error: error.details.includes("future") ? "FutureRevision" : "Compacted" };
    }
  }

  #ask(op: Operation): Promise<Reply> {
    switch (op.op) {
      case "range":
        return this.#range(op.query);
      case "txn":
        return this.#transaction(op);
      case "compact":
        return this.#compact(op.revision);
      case "changes":
        return this.#changes(op.from);
      case "versions":
        return this.#versions();
      case "state":
        return this.#state();
      case "fork":
        return this.#fork();
      case "forkRange":
        return this.#forkRange(op.query);
      case "measure":
        return this.#measure();
    }
  }

  #theirs(revision: number): number {
    return revision + this.#base - 1;
  }

  #ours(revision: number): number {
    return revision - this.#base + 1;
  }

  #key(key: string): Buffer {
    return bytes(this.#prefix + key);
  }

  /** "From here on" ends where the history's own keys end. */
  #end(end: string | undefined): Buffer {
    if (end === undefined) return bytes("");
    return end === "" ? bytes(`${this.#prefix.slice(0, -1)}0`) : this.#key(end);
  }

  #query({ key, end, revision, limit, countOnly }: Query): Init<etcd.RangeRequest> {
    return {
      key: this.#key(key),
      rangeEnd: this.#end(end),
      revision: revision === undefined || revision <= 0 ? 0 : this.#theirs(revision),
      limit: limit ?? 0,
      countOnly: countOnly ?? false,
    };
  }

  #kv = (kv: etcd.KeyValue): Kv => [
    Buffer.from(kv.key).toString("latin1").slice(this.#prefix.length),
    Buffer.from(kv.value).toString("latin1"),
    kv.createRevision === 0 ? 0 : this.#ours(kv.createRevision),
    this.#ours(kv.modRevision),
    kv.version,
    String(kv.lease),
  ];

  #rangeReply(response: etcd.RangeResponse, revision: number): RangeReply {
    return { kvs: response.kvs.map(this.#kv), count: response.count, revision };
  }

  async #range(query: Query): Promise<RangeReply> {
    const response = await this.#calls.kv.range(this.#query(query), { timeoutMs: callMs });
    return this.#rangeReply(response, this.#ours(response.header!.revision));
  }

  async #transaction({ guard, steps }: Operation & { op: "txn" }): Promise<Reply> {
    const peeks: RangeReply[] = [];
    for (const step of steps) if (step.do === "peek") peeks.push(await this.#range(step.query));
    const asked = steps.filter((step) => step.do !== "peek");
    const success = asked.flatMap((step) => this.#requests(step));
    const compare =
      guard === undefined
        ? []
        : [{ key: this.#key(guard.key), target: 0, result: 0, version: guard.version }];
    const response = await this.#calls.kv.txn({ compare, success }, { timeoutMs: callMs });
    const revision = this.#ours(response.header!.revision);
    if (!response.succeeded) return { done: false, revision, steps: [] };
    const responses = response.responses.values();
    const replies = steps.map((step): StepReply => {
      if (step.do === "peek") return peeks.shift()!;
      const first = responses.next().value!;
      if (step.do === "delete") return { deleted: first.responseDeleteRange!.deleted };
      const range = (step.do === "put" ? responses.next().value! : first).responseRange!;
      if (step.do === "put") return { kv: this.#kv(range.kvs[0]!) };
      return this.#rangeReply(range, this.#ours(range.header!.revision));
    });
    return { done: true, revision, steps: replies };
  }

  /** A put is followed by a read of what it wrote: the interface returns it. */
  #requests(step: Step): Init<etcd.RequestOp>[] {
    switch (step.do) {
      case "put": {
        const key = this.#key(step.key);
        const value = bytes(step.value);
        const requestPut = { key, value, lease: BigInt(step.lease) };
        return [{ requestPut }, { requestRange: { key } }];
      }
      case "delete":
        return [
          { requestDeleteRange: { key: this.#key(step.key), rangeEnd: this.#end(step.end) } },
        ];
      default:
        return [{ requestRange: this.#query(step.query) }];
    }
  }

  async #compact(revision: number): Promise<Reply> {
    const request = { revision: this.#theirs(revision), physical: true };
    const { header } = await this.#calls.kv.compact(request, { timeoutMs: callMs });
    this.#compacted = revision;
    return { compactedRevision: revision, revision: this.#ours(header!.revision) };
  }

  async #state(): Promise<Reply> {
    const hash = await this.#calls.maintenance.hashKV({ revision: 0 }, { timeoutMs: callMs });
    // What was compacted before this history began is not its own.
    const compacted = this.#ours(hash.compactRevision);
    const compactedRevision = compacted < 1 ? -1 : compacted;
    const { revision } = await this.#range({ key: "a" });
    return { compactedRevision, revision };
  }

  async #readChanges(from: number): Promise<Kv[][]> {
    const { revision } = await this.#range({ key: "a" });
    if (from > revision) return [];
    const lists = await readChanges(this.#calls.watch, {
      key: this.#key(""),
      rangeEnd: this.#end(""),
      from: this.#theirs(from),
      to: this.#theirs(revision),
      timeoutMs: callMs,
    });
    return lists.map((list) => list.map(this.#kv));
  }

  async #changes(from: number): Promise<Reply> {
    return { changes: await this.#readChanges(from) };
  }

  async #versions(): Promise<Reply> {
    const all = { key: "", end: "" };
    const isCompacted = this.#compacted > 0;
    const kept = isCompacted ? (await this.#range({ ...all, revision: this.#compacted })).kvs : [];
    const since = await this.#readChanges(Math.max(this.#compacted + 1, 2));
    return { versions: sortVersions([...kept, ...since.flat()]) };
  }

  async #fork(): Promise<Reply> {
    this.#forked = (await this.#range({ key: "a" })).revision;
    return { forked: this.#forked };
  }

  async #forkRange(query: Query): Promise<Reply> {
    const reply = await this.#range({ ...query, revision: query.revision || this.#forked });
    return { ...reply, revision: this.#forked };
  }

  async #measure(): Promise<Reply> {
    const { maintenance } = this.#calls;
    await maintenance.defragment({}, { timeoutMs: callMs });
    const { dbSizeInUse } = await maintenance.status({}, { timeoutMs: callMs });
    this.#sizeBefore ??= dbSizeInUse;
    const sizeBytes = Math.max(dbSizeInUse - this.#sizeBefore, 0);
    return { sizeBytes, heapBytes: sizeBytes };
  }
}
