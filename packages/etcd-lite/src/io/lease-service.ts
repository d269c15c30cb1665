/**
 * The Lease service, and the timer that ends leases that have run out.
 *
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/lease.go, server/lease/lessor.go runLoop
 */
import type { TimerHandle } from "@nanokube/machinery";
import type { etcd, Handlers } from "@nanokube/rpc";
import { keyBytes } from "../core/bytes.ts";
import { leaseCostBytes } from "../core/member-state.ts";
import { checkRoom } from "./kv-service.ts";
import { guarded, header, type Member, write } from "./member.ts";

export function createLeaseService(
  member: Member,
  expiry: LeaseExpiry,
): Handlers<typeof etcd.Lease> {
  const { lessor } = member.state;
  return {
    leaseGrant: async (request) => {
      guarded(() => checkRoom(member, leaseCostBytes));
      const ID = request.ID === 0n ? randomId(member) : request.ID;
      const entry = { kind: "leaseGrant", request: { ...request, ID } } as const;
      const response = await write<etcd.LeaseGrantResponse>(member, entry);
      expiry.arm();
      return response;
    },

    leaseRevoke: (request) =>
      write<etcd.LeaseRevokeResponse>(member, { kind: "leaseRevoke", request }),

    leaseKeepAlive: async (call) => {
      for await (const { ID } of call.requests) {
        // The header is older than the renewal: a client never believes a dead lease alive.
        const response = { header: header(member), ID, TTL: 0 };
        const lease = lessor.find(ID);
        const nowMs = member.clock.now();
        if (lease !== undefined && lease.expiryMs > nowMs) {
          response.TTL = lessor.renew(ID, nowMs).ttlSeconds;
        }
        if (!call.write(response)) await call.drained();
      }
    },

    leaseTimeToLive: (request) => {
      const lease = lessor.find(request.ID);
      if (lease === undefined) return { header: header(member), ID: request.ID, TTL: -1 };
      const remainingMs = lease.expiryMs - member.clock.now();
      return {
        header: header(member),
        ID: lease.id,
        TTL: Math.trunc(remainingMs / 1000),
        grantedTTL: lease.ttlSeconds,
        keys: request.keys ? [...lease.keys].map(keyBytes) : [],
      };
    },

    leaseLeases: () => ({
      header: header(member),
      leases: lessor.leases().map(({ id }) => ({ ID: id })),
    }),
  };
}

/** A positive int64 that is not taken. */
function randomId(member: Member): bigint {
  for (;;) {
    const bytes = Buffer.from(member.random.bytes(8));
    const id = BigInt.asUintN(63, bytes.readBigUInt64BE());
    if (id !== 0n && member.state.lessor.find(id) === undefined) return id;
  }
}

const checkEveryMs = 500;

/** Proposes the end of leases that have run out: at most twice a second, at the soonest expiry. */
export class LeaseExpiry {
  readonly #member: Member;
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(member: Member) {
    this.#member = member;
  }

  /** After a lease came, or at the start. */
  arm(): void {
    const next = this.#member.state.lessor.nextExpiryMs();
    if (this.#isClosed || this.#timer !== undefined || next === undefined) return;
    const waitMs = Math.max(next - this.#member.clock.now(), 0);
    this.#timer = this.#member.clock.setTimeout(
      () => this.#check(),
      Math.min(waitMs, checkEveryMs),
    );
  }

  async #check(): Promise<void> {
    this.#timer = undefined;
    const { state, clock, log } = this.#member;
    for (const { id } of state.lessor.expired(clock.now())) {
      log.debug({ lease: id.toString(16) }, "lease expired");
      try {
        await write(this.#member, { kind: "leaseRevoke", request: { ID: id } });
      } catch (error) {
        log.warn({ lease: id.toString(16), error: String(error) }, "cannot revoke expired lease");
      }
    }
    this.arm();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#member.clock.clearTimeout(this.#timer);
  }
}
