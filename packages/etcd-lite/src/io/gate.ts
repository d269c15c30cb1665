/**
 * What is asked of every call before its service sees it: may a learner answer it, and is there a
 * leader, for those who want one?
 *
 * Metadata `hasleader: true` (clientv3's WithRequireLeader) refuses a call while there is no
 * leader, and ends a stream when there was none for three elections.
 *
 * Errors  NotSupportedForLearner, NoLeader
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/interceptor.go
 */
import type { Handlers, ServerCall, ServiceInfo } from "@nanokube/rpc";
import { EtcdError } from "../core/errors.ts";
import { nobody } from "../core/raft/message.ts";
import { type Member, toRpc } from "./member.ts";

type Handler = (first: never, second: never) => unknown;

const electionsWithoutLeader = 3;

export class Gate {
  readonly #member: Member;
  /** Streams that want a leader: how to end them. */
  readonly #streams = new Set<() => void>();
  #leaderlessSinceMs: number | undefined;

  constructor(member: Member) {
    this.#member = member;
  }

  guard<S extends ServiceInfo>(service: S, handlers: Handlers<S>): Handlers<S> {
    const guarded = Object.entries(handlers).map(([name, handler]) => {
      const { clientStreaming, serverStreaming, path } = service.methods[name]!;
      const isStream = clientStreaming || serverStreaming;
      const wrapped = isStream
        ? this.#stream(handler as Handler, path)
        : this.#unary(handler as Handler, path);
      return [name, wrapped];
    });
    return Object.fromEntries(guarded);
  }

  #unary(handler: Handler, path: string) {
    return (request: never, call: never) => {
      const { node } = this.#member;
      if (!node.isAlone) {
        this.#refuseLearner(() => isForLearners(path, request));
        if (wantsLeader(call)) this.#refuseLeaderless();
      }
      return handler(request, call);
    };
  }

  #stream(handler: Handler, path: string) {
    return (call: never, second: never) => {
      if (this.#member.node.isAlone) return handler(call, second);
      this.#refuseLearner(() => path === "/etcdserverpb.Maintenance/Snapshot");
      if (!wantsLeader(call)) return handler(call, second);
      this.#refuseLeaderless();
      const lost = Promise.withResolvers<never>();
      lost.promise.catch(() => {});
      const end = () => lost.reject(toRpc(new EtcdError("NoLeader")));
      this.#streams.add(end);
      const done = Promise.race([handler(call, second), lost.promise]);
      return done.finally(() => this.#streams.delete(end));
    };
  }

  #refuseLearner(isSupported: () => boolean): void {
    const { node } = this.#member;
    const { learners, voters } = node.raft.membership;
    const isLearner = learners.has(node.raft.id) || voters.size === 0;
    if (isLearner && !isSupported()) throw toRpc(new EtcdError("NotSupportedForLearner"));
  }

  #refuseLeaderless(): void {
    if (this.#member.node.raft.leader === nobody) throw toRpc(new EtcdError("NoLeader"));
  }

  /** Called with each tick. */
  tick(): void {
    const { node, clock, electionMs } = this.#member;
    if (node.raft.leader !== nobody) {
      this.#leaderlessSinceMs = undefined;
      return;
    }
    const nowMs = clock.monotonic();
    this.#leaderlessSinceMs ??= nowMs;
    if (nowMs - this.#leaderlessSinceMs < electionsWithoutLeader * electionMs) return;
    for (const end of this.#streams) end();
    this.#streams.clear();
  }
}

function wantsLeader(call: unknown): boolean {
  return (call as ServerCall).metadata["hasleader"] === "true";
}

function isForLearners(path: string, request: unknown): boolean {
  if (path === "/etcdserverpb.Maintenance/Status") return true;
  const { serializable } = request as { serializable?: boolean };
  return path === "/etcdserverpb.KV/Range" && serializable === true;
}
