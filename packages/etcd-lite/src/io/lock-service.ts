/**
 * The Lock service: a mutex by name, for clients that would rather not do the waiting themselves.
 *
 * Source  etcd v3.6 server/etcdserver/api/v3lock/lock.go, client/v3/concurrency/mutex.go
 */
import { codes, type etcd, type Handlers, RpcError, type ServerCall } from "@nanokube/rpc";
import { keyBytes, keyText } from "../core/bytes.ts";
import { type Concurrency, createdAt, oldest, queueKey } from "./concurrency.ts";

export function createLockService(queues: Concurrency): Handlers<typeof etcd.Lock> {
  return {
    lock: (request, call) => lock(queues, request, call),
    unlock: async ({ key }, call) => ({ header: (await queues.delete(key, call)).header }),
  };
}

async function lock(queues: Concurrency, request: etcd.LockRequest, call: ServerCall) {
  const prefix = `${keyText(request.name)}/`;
  const lease = await queues.session(request.lease, call);
  const key = keyBytes(queueKey(prefix, lease));
  const owner = { requestRange: oldest(prefix) };
  const acquired = await queues.txn(
    {
      compare: [createdAt(key, 0)],
      success: [{ requestPut: { key, lease } }, owner],
      failure: [{ requestRange: { key } }, owner],
    },
    call,
  );
  const [mine, first] = acquired.responses;
  const revision = acquired.succeeded
    ? acquired.header!.revision
    : mine!.responseRange!.kvs[0]!.createRevision;
  const holder = first!.responseRange!.kvs[0];
  if (holder === undefined || holder.createRevision === revision) {
    return { header: acquired.header, key };
  }
  try {
    await queues.untilOldest(prefix, revision - 1, call);
  } catch (error) {
    // Who waits no longer must not be handed the lock.
    await queues.delete(key, call);
    throw error;
  }
  const { header, kvs } = await queues.get({ key }, call);
  if (kvs.length === 0) throw new RpcError(codes.UNKNOWN, "mutex: session is expired");
  return { header, key };
}
