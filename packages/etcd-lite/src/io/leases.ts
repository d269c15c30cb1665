/**
 * The lives of leases: the leader alone counts them, renews them, and ends them.
 *
 * A renewal is not in the log: it goes to the leader. So that a new leader does not give every
 * lease its whole time again, the leader notes now and then in the log how much is left.
 *
 * Source  etcd v3.6 server/lease/lessor.go, server/etcdserver/v3_server.go LeaseRenew
 */
import type { TimerHandle } from "@nanokube/machinery";
import type { etcd, Init } from "@nanokube/rpc";
import { keyBytes } from "../core/bytes.ts";
import { EtcdError } from "../core/errors.ts";
import { nobody } from "../core/raft/message.ts";
import { writeAsRoot } from "./identify.ts";
import { header, type Member, write } from "./member.ts";

const checkEveryMs = 500;
const checkpointEveryMs = 5 * 60_000;
const checkpointsMax = 1000;
const forwardRetryMs = 50;
const renewalsMax = 1000;

/** Somebody who waits for the leader's word. */
interface Renewal {
  readonly ID: bigint;
  resolve(seconds: number): void;
  reject(error: unknown): void;
}

export class Leases {
  readonly #member: Member;
  readonly #extendMs: number;
  #timer: TimerHandle | undefined;
  #isLeading = false;
  #isClosed = false;
  #checkpointAtMs = 0;
  #renewals: Renewal[] = [];
  #isAsking = false;

  constructor(member: Member, extendMs: number) {
    this.#member = member;
    this.#extendMs = extendMs;
  }

  /** Another leader, perhaps this member: whose clock counts now? */
  leaderChanged(): void {
    const { node, state, clock } = this.#member;
    const isLeading = node.isLeader;
    if (isLeading && !this.#isLeading) {
      state.lessor.promote(clock.now(), this.#extendMs);
      this.#checkpointAtMs = clock.now() + checkpointEveryMs;
    }
    this.#isLeading = isLeading;
    this.arm();
  }

  /** After a lease came: looks at most twice a second, at the soonest expiry. */
  arm(): void {
    const { state, clock } = this.#member;
    if (!this.#isLeading || this.#isClosed || this.#timer !== undefined) return;
    const next = state.lessor.nextExpiryMs();
    if (next === undefined) return;
    const waitMs = Math.min(Math.max(next - clock.now(), 0), checkEveryMs);
    this.#timer = clock.setTimeout(() => this.#check(), waitMs);
  }

  async #check(): Promise<void> {
    this.#timer = undefined;
    if (!this.#isLeading || this.#isClosed) return;
    const { state, clock, log } = this.#member;
    for (const { id } of state.lessor.expired(clock.now())) {
      log.debug({ lease: id.toString(16) }, "lease expired");
      this.#member.metrics.count("leaseExpired");
      try {
        await writeAsRoot(this.#member, { kind: "leaseRevoke", request: { ID: id } });
      } catch (error) {
        log.warn({ lease: id.toString(16), error: String(error) }, "cannot revoke expired lease");
      }
    }
    await this.#checkpoint();
    this.arm();
  }

  /** Renewed, it has its whole time: the others must not think that less is left. */
  #forgetCheckpoint(ID: bigint): void {
    const request = { checkpoints: [{ ID, remainingTTL: 0 }] };
    const { log } = this.#member;
    Promise.resolve(write(this.#member, { kind: "leaseCheckpoint", request })).catch((error) => {
      log.warn({ lease: ID.toString(16), error: String(error) }, "cannot checkpoint a lease");
    });
  }

  async #checkpoint(): Promise<void> {
    const { state, clock, log } = this.#member;
    const nowMs = clock.now();
    if (nowMs < this.#checkpointAtMs) return;
    this.#checkpointAtMs = nowMs + checkpointEveryMs;
    const checkpoints = state.lessor
      .leases()
      .filter(({ ttlSeconds }) => ttlSeconds * 1000 > checkpointEveryMs)
      .slice(0, checkpointsMax)
      .map(({ id, expiryMs }) => ({
        ID: id,
        remainingTTL: Math.max(Math.ceil((expiryMs - nowMs) / 1000), 1),
      }));
    if (checkpoints.length === 0) return;
    try {
      await write(this.#member, { kind: "leaseCheckpoint", request: { checkpoints } });
    } catch (error) {
      log.warn({ error: String(error) }, "cannot checkpoint leases");
    }
  }

  /** What is left of it, in seconds, 0 when it is gone: at once, where nobody has to be asked. */
  renew(ID: bigint): number | Promise<number> {
    const { node } = this.#member;
    if (node.leadsSurely) return this.#renewHere(ID);
    if (node.isLeader) return this.renewForOthers([ID]).then(([seconds]) => seconds!);
    return this.#renewElsewhere(ID);
  }

  /** One question a time is under way to the leader; what comes meanwhile goes into the next. */
  #renewElsewhere(ID: bigint): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#renewals.push({ ID, resolve, reject });
      if (this.#isAsking) return;
      this.#isAsking = true;
      setImmediate(() => this.#askRenewals());
    });
  }

  async #askRenewals(): Promise<void> {
    while (this.#renewals.length > 0) {
      const asked = this.#renewals.splice(0, renewalsMax);
      const ids = asked.map(({ ID }) => ID);
      try {
        const seconds = await this.#renewAtLeader(ids);
        for (const [i, { resolve }] of asked.entries()) resolve(seconds[i] ?? 0);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#isAsking = false;
  }

  async #renewAtLeader(ids: readonly bigint[]): Promise<readonly number[]> {
    if (this.#member.node.isLeader) return this.renewForOthers(ids); // Since it was asked.
    const { seconds } = await this.#askLeader((leader, options) =>
      this.#member.peers.client(leader)!.renewLeases({ ids: [...ids] }, options),
    );
    return seconds;
  }

  /** A leader that was replaced and does not know it must not renew what another let expire. */
  async renewForOthers(ids: readonly bigint[]): Promise<number[]> {
    const { node, proposals } = this.#member;
    if (!node.leadsSurely) await proposals.barrier();
    return ids.map((ID) => this.#renewHere(ID));
  }

  #renewHere(ID: bigint): number {
    const { node, state, clock } = this.#member;
    if (!node.isLeader) throw new EtcdError("NotLeader");
    const lease = state.lessor.find(ID);
    const nowMs = clock.now();
    if (lease === undefined || lease.expiryMs <= nowMs) return 0;
    if (lease.remainingSeconds > 0) this.#forgetCheckpoint(ID);
    this.#member.metrics.count("leaseRenewed");
    return state.lessor.renew(ID, nowMs).ttlSeconds;
  }

  async timeToLive(
    request: etcd.LeaseTimeToLiveRequest,
  ): Promise<Init<etcd.LeaseTimeToLiveResponse>> {
    const { node, peers } = this.#member;
    if (node.isLeader) return this.timeToLiveHere(request);
    const response = await this.#askLeader((leader, options) =>
      peers.client(leader)!.timeToLive(request, options),
    );
    return { ...response, header: header(this.#member) };
  }

  timeToLiveHere({ ID, keys }: etcd.LeaseTimeToLiveRequest): Init<etcd.LeaseTimeToLiveResponse> {
    const { node, state, clock } = this.#member;
    if (!node.isLeader) throw new EtcdError("NotLeader");
    const lease = state.lessor.find(ID);
    if (lease === undefined) return { header: header(this.#member), ID, TTL: -1 };
    const remainingMs = lease.expiryMs - clock.now();
    return {
      header: header(this.#member),
      ID: lease.id,
      TTL: Math.trunc(remainingMs / 1000),
      grantedTTL: lease.ttlSeconds,
      keys: keys ? [...lease.keys].map(keyBytes) : [],
    };
  }

  async #askLeader<T>(
    ask: (
      leader: bigint,
      options: { metadata: Record<string, string>; timeoutMs: number },
    ) => Promise<T>,
  ): Promise<T> {
    const { node, peers, clock, proposals } = this.#member;
    const untilMs = clock.monotonic() + proposals.timeoutMs;
    while (clock.monotonic() < untilMs && !this.#isClosed) {
      const { leader } = node.raft;
      if (leader !== nobody && !node.isLeader) {
        try {
          return await ask(leader, { metadata: peers.metadata as never, timeoutMs: 2000 });
        } catch {
          // Another leader, or none for now: asked again.
        }
      }
      await new Promise<void>((resolve) => clock.setTimeout(resolve, forwardRetryMs));
    }
    throw new EtcdError("Timeout");
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#member.clock.clearTimeout(this.#timer);
  }
}
