/**
 * The Lease service, and the timer that ends leases that have run out.
 *
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/lease.go, server/lease/lessor.go runLoop
 */
import type { TimerHandle } from "@nanokube/machinery";
import type { etcd, Handlers } from "@nanokube/rpc";
import type { Identity } from "../core/auth/auth-store.ts";
import { keyBytes } from "../core/bytes.ts";
import { EtcdError } from "../core/errors.ts";
import { leaseCostBytes } from "../core/member-state.ts";
import { readAs, writeAs, writeAsRoot } from "./identify.ts";
import { checkRoom } from "./kv-service.ts";
import { guarded, header, type Member } from "./member.ts";

export function createLeaseService(
  member: Member,
  expiry: LeaseExpiry,
): Handlers<typeof etcd.Lease> {
  const { lessor } = member.state;
  return {
    leaseGrant: async (request, call) => {
      guarded(() => checkRoom(member, leaseCostBytes));
      const ID = request.ID === 0n ? randomId(member) : request.ID;
      const entry = { kind: "leaseGrant", request: { ...request, ID } } as const;
      const response = await writeAs<etcd.LeaseGrantResponse>(member, call, entry);
      expiry.arm();
      return response;
    },

    leaseRevoke: (request, call) =>
      writeAs<etcd.LeaseRevokeResponse>(member, call, { kind: "leaseRevoke", request }),

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

    leaseTimeToLive: (request, call) => {
      const run = () => timeToLive(member, request);
      if (!request.keys) return run();
      return readAs(member, call, { check: (who) => checkKeys(member, who, request.ID), run });
    },

    leaseLeases: () => ({
      header: header(member),
      leases: lessor.leases().map(({ id }) => ({ ID: id })),
    }),
  };
}

function timeToLive(member: Member, { ID, keys }: etcd.LeaseTimeToLiveRequest) {
  const lease = member.state.lessor.find(ID);
  if (lease === undefined) return { header: header(member), ID, TTL: -1 };
  const remainingMs = lease.expiryMs - member.clock.now();
  return {
    header: header(member),
    ID,
    TTL: Math.trunc(remainingMs / 1000),
    grantedTTL: lease.ttlSeconds,
    keys: keys ? [...lease.keys].map(keyBytes) : [],
  };
}

/** The keys of a lease are told to who may read all of them. */
function checkKeys({ state }: Member, who: Identity, id: bigint): void {
  if (who.revision === 0) throw new EtcdError("UserEmpty");
  for (const key of state.lessor.find(id)?.keys ?? []) state.auth.checkRange(who, key, "");
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
        await writeAsRoot(this.#member, { kind: "leaseRevoke", request: { ID: id } });
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
