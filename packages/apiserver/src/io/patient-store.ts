/**
 * etcd's reads and transactions for requests that wait out a store that is away, as upstream's do:
 * what was certainly not sent is sent when the connection is back, or the time is over.
 *
 * Source  go.etcd.io/etcd/client/v3/retry.go (isSafeRetryMutableRPC, isSafeRetryImmutableRPC)
 */
import {
  type CallOptions,
  type Channel,
  type Client,
  codes,
  createClient,
  etcd,
  RpcError,
} from "@nanokube/rpc";

type KV = Client<typeof etcd.KV>;

/** Upstream's --request-timeout. */
const usualTimeoutMs = 60_000;
const probeMaxMs = 2_000;
/** How long a server that starts waits for an etcd that is not there yet, as upstream's does. */
const firstContactMs = 20_000;

export function patient(kv: KV, timeoutMs = usualTimeoutMs): KV {
  const waiting: CallOptions = { waitForReady: true, timeoutMs };
  return {
    ...kv,
    range: (request, options) =>
      kv.range(request, options).catch((error: unknown) => {
        // Reading twice does no harm.
        if (options !== undefined || !isAway(error)) throw error;
        return kv.range(request, waiting);
      }),
    txn: (request) =>
      kv.txn(request).catch((error: unknown) => {
        if (!wasNotSent(error)) throw error;
        return kv.txn(request, waiting);
      }),
  };
}

function isAway(error: unknown): error is RpcError {
  return error instanceof RpcError && error.code === codes.UNAVAILABLE;
}

function wasNotSent(error: unknown): boolean {
  return isAway(error) && error.details.startsWith("connection error");
}

/** Resolves when etcd answers for the first time. */
export async function firstContact(kv: KV): Promise<void> {
  const key = new TextEncoder().encode("/registry/");
  const patience = { waitForReady: true, timeoutMs: firstContactMs };
  await kv.range({ key, countOnly: true }, patience).catch((error: Error) => {
    throw new Error(`error creating storage factory: ${error.message.replace(/^[A-Z_]+: /, "")}`);
  });
}

/** Asks what is wrong with etcd; undefined when it answers. */
export function etcdProbe(channel: Channel): () => Promise<string | undefined> {
  const kv = createClient(channel, etcd.KV);
  const key = new TextEncoder().encode("/registry/health");
  const patience = { waitForReady: true, timeoutMs: probeMaxMs };
  const why = (error: unknown): string =>
    `error getting data from etcd: ${error instanceof RpcError ? error.details : String(error)}`;
  return () => kv.range({ key }, patience).then(() => undefined, why);
}
