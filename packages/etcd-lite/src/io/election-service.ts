/**
 * The Election service: one leader by name, its value, and who wants to hear of it.
 *
 * Source  etcd v3.6 server/etcdserver/api/v3election/election.go, client/v3/concurrency/election.go
 */
import {
  codes,
  type etcd,
  type Handlers,
  RpcError,
  type ServerCall,
  type ServerStream,
} from "@nanokube/rpc";
import { keyBytes, keyText } from "../core/bytes.ts";
import { isTombstone, type KeyValue } from "../core/key-value.ts";
import { toMessage } from "../core/kv-requests.ts";
import { type Concurrency, createdAt, oldest, prefixEnd, queueKey } from "./concurrency.ts";
import { header, type Member } from "./member.ts";

const missingLeader = () => new RpcError(codes.UNKNOWN, '"leader" field must be provided');
const notLeader = () => new RpcError(codes.UNKNOWN, "election: not leader");
const noLeader = () => new RpcError(codes.UNKNOWN, "election: no leader");

export function createElectionService(
  member: Member,
  queues: Concurrency,
): Handlers<typeof etcd.Election> {
  return {
    campaign: (request, call) => campaign(queues, request, call),
    proclaim: async ({ leader, value }, call) => {
      if (leader === undefined) throw missingLeader();
      return { header: await proclaim(queues, { leader, value }, call) };
    },
    leader: async ({ name }, call) => {
      const { header, kvs } = await queues.get(oldest(`${keyText(name)}/`), call);
      if (kvs.length === 0) throw noLeader();
      return { header, kv: kvs[0] };
    },
    observe: async (call) => {
      const { name } = await call.first();
      await observe({ member, queues, prefix: `${keyText(name)}/`, call });
    },
    resign: async ({ leader }, call) => {
      if (leader === undefined) throw missingLeader();
      const { header } = await resign(queues, leader, call);
      return { header };
    },
  };
}

type Claim = Pick<etcd.LeaderKey, "key" | "rev" | "lease">;

async function campaign(queues: Concurrency, request: etcd.CampaignRequest, call: ServerCall) {
  const { name, value } = request;
  const prefix = `${keyText(name)}/`;
  const lease = await queues.session(request.lease, call);
  const key = keyBytes(queueKey(prefix, lease));
  const entered = await queues.txn(
    {
      compare: [createdAt(key, 0)],
      success: [{ requestPut: { key, value, lease } }],
      failure: [{ requestRange: { key } }],
    },
    call,
  );
  const before = entered.responses[0]!.responseRange?.kvs[0];
  const rev = before === undefined ? entered.header!.revision : before.createRevision;
  const claim = { key, rev, lease };
  let { header } = entered;
  if (before !== undefined && !Buffer.from(before.value).equals(value)) {
    header = await proclaim(queues, { leader: claim, value }, call);
  }
  try {
    await queues.untilOldest(prefix, rev - 1, call);
  } catch (error) {
    await resign(queues, claim, call);
    throw error;
  }
  return { header: entered.header ?? header, leader: { name, ...claim } };
}

async function proclaim(
  queues: Concurrency,
  { leader, value }: { leader: Claim; value: Uint8Array },
  call: ServerCall,
) {
  const { key, rev, lease } = leader;
  const success = [{ requestPut: { key, value, lease } }];
  const done = await queues.txn({ compare: [createdAt(key, rev)], success }, call);
  if (!done.succeeded) throw notLeader();
  return done.header;
}

function resign(queues: Concurrency, { key, rev }: Claim, call: ServerCall) {
  const success = [{ requestDeleteRange: { key } }];
  return queues.txn({ compare: [createdAt(key, rev)], success }, call);
}

interface Observing {
  readonly member: Member;
  readonly queues: Concurrency;
  readonly prefix: string;
  readonly call: ServerStream<etcd.LeaderRequest, etcd.LeaderResponse>;
}

/** Tells who leads, each new value of his, and, when he is gone, who leads then. */
async function observe({ member, queues, prefix, call }: Observing): Promise<void> {
  while (!call.signal.aborted) {
    const found = await queues.get(oldest(prefix), call);
    let leader = found.kvs[0];
    let at = found.header!;
    if (leader === undefined) {
      const span = { key: prefix, end: prefixEnd(prefix) };
      const isWanted = (change: KeyValue) => !isTombstone(change);
      const put = await queues.firstChange({ span, from: at.revision, isWanted }, call);
      leader = toMessage(put);
      at = header(member, put.modRevision);
    }
    call.write({ header: at, kv: leader });
    const span = { key: keyText(leader.key), end: undefined };
    const isWanted = (change: KeyValue) => {
      if (isTombstone(change)) return true;
      call.write({ header: header(member, change.modRevision), kv: toMessage(change) });
      return false;
    };
    await queues.firstChange({ span, from: at.revision + 1, isWanted }, call);
  }
}
