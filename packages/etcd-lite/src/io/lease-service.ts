/**
 * The Lease service.
 *
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/lease.go
 */
import type { etcd, Handlers } from "@nanokube/rpc";
import type { Identity } from "../core/auth/auth-store.ts";
import { EtcdError } from "../core/errors.ts";
import { leaseCostBytes } from "../core/member-state.ts";
import { readAs, writeAs } from "./identify.ts";
import { checkRoom } from "./kv-service.ts";
import { guarded, guardedAsync, header, type Member } from "./member.ts";

export function createLeaseService(member: Member): Handlers<typeof etcd.Lease> {
  const { leases, state } = member;
  return {
    leaseGrant: async (request, call) => {
      guarded(() => checkRoom(member, leaseCostBytes));
      const ID = request.ID === 0n ? randomId(member) : request.ID;
      const TTL = Math.max(request.TTL, ttlMinSeconds(member));
      const entry = { kind: "leaseGrant", request: { ...request, ID, TTL } } as const;
      const response = await writeAs<etcd.LeaseGrantResponse>(member, call, entry);
      leases.arm();
      return response;
    },

    leaseRevoke: (request, call) =>
      writeAs<etcd.LeaseRevokeResponse>(member, call, { kind: "leaseRevoke", request }),

    leaseKeepAlive: (call) =>
      call.forEachRequest(({ ID }) => {
        // The header is older than the renewal: a client never believes a dead lease alive.
        const head = header(member);
        const answer = (TTL: number) =>
          call.write({ header: head, ID, TTL }) ? undefined : call.drained();
        const TTL = guarded(() => leases.renew(ID));
        return TTL instanceof Promise ? guardedAsync(() => TTL).then(answer) : answer(TTL);
      }),

    leaseTimeToLive: async (request, call) => {
      const check = (who: Identity) => checkKeys(member, who, request.ID);
      if (request.keys) await readAs(member, call, { check, run: () => undefined });
      return guardedAsync(() => leases.timeToLive(request));
    },

    leaseLeases: () => ({
      header: header(member),
      leases: state.lessor.leases().map(({ id }) => ({ ID: id })),
    }),
  };
}

/** The keys of a lease are told to who may read all of them. */
function checkKeys({ state }: Member, who: Identity, id: bigint): void {
  if (who.revision === 0) throw new EtcdError("UserEmpty");
  for (const key of state.lessor.find(id)?.keys ?? []) state.auth.checkRange(who, key, "");
}

/** A lease outlives one and a half elections: else a change of leader would cost it. */
function ttlMinSeconds({ electionMs, heartbeatMs }: Member): number {
  const ticks = Math.floor((3 * Math.floor(electionMs / heartbeatMs)) / 2);
  return Math.ceil((ticks * heartbeatMs) / 1000);
}

/** A positive int64 that is not taken. */
function randomId(member: Member): bigint {
  for (;;) {
    const bytes = Buffer.from(member.random.bytes(8));
    const id = BigInt.asUintN(63, bytes.readBigUInt64BE());
    if (id !== 0n && member.state.lessor.find(id) === undefined) return id;
  }
}
