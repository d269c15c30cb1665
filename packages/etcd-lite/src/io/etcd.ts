/**
 * An etcd member as a library: state, log, services, sockets.
 *
 *     const etcd = await createEtcd({ clock, random, log });        // in memory
 *     const kv = createClient(etcd.channel(), etcdProto.KV);
 */
import type { Clock, Log, Random } from "@nanokube/machinery";
import {
  type Channel,
  createServer,
  health,
  type ListenAddress,
  type ListenOptions,
  etcd as proto,
  type RpcServer,
} from "@nanokube/rpc";
import { MemberState } from "../core/member-state.ts";
import { createAuthService } from "./auth-service.ts";
import { Concurrency } from "./concurrency.ts";
import { lockDataDir } from "./data-dir.ts";
import { type Disk, openDisk } from "./disk.ts";
import { createElectionService } from "./election-service.ts";
import { createHttpHandler } from "./http-endpoints.ts";
import { createIdentity, type IdentityOptions } from "./identity.ts";
import { createKVService } from "./kv-service.ts";
import { createLeaseService, LeaseExpiry } from "./lease-service.ts";
import { createLockService } from "./lock-service.ts";
import {
  createClusterService,
  createHealthService,
  createMaintenanceService,
} from "./maintenance-service.ts";
import type { Limits, Member, MemberIdentity } from "./member.ts";
import { Proposals } from "./proposals.ts";
import { recover } from "./recover.ts";
import type { Wal } from "./wal.ts";
import { createWatchService } from "./watch-service.ts";
import { createWebTokens } from "./web-tokens.ts";

export interface EtcdOptions extends IdentityOptions {
  /** Absent: everything is in memory and gone at the end. */
  readonly dataDir?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** In place of the data directory's own files: for tests that crash and tear. */
  readonly disk?: Disk | undefined;
  /** Acknowledge before the disk has it: fast, and loses writes when power fails. */
  readonly unsafeNoSync?: boolean | undefined;
  /** Log so many bytes before the first snapshot; 16 MiB. */
  readonly snapshotAfterBytes?: number | undefined;
  /** Size of the log's files; 16 MiB. */
  readonly segmentBytes?: number | undefined;
  /** 0 is etcd's default of 2 GiB, negative is none. */
  readonly quotaBytes?: number | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** etcd's --auth-token: `simple`, or `jwt,sign-method=…`. */
  readonly authToken?: string | undefined;
  /** Life of a simple token that is not used; 300 s. */
  readonly authTokenTTLSeconds?: number | undefined;
  /** Cost of a password's hash, as a power of two; 10. */
  readonly bcryptCost?: number | undefined;
  /** Take the user from the client's certificate. */
  readonly clientCertAuth?: boolean | undefined;
}

export interface Etcd {
  readonly server: RpcServer;
  readonly member: Member;
  /** A channel inside the process: the same services, no bytes. */
  channel(): Channel;
  listen(where: string | ListenOptions): Promise<ListenAddress>;
  close(): Promise<void>;
}

const defaultQuotaBytes = 2 * 1024 ** 3;
const defaultLimits: Limits = {
  txnOpsMax: 128,
  requestBytesMax: 1.5 * 1024 * 1024,
  progressNotifyMs: 10 * 60 * 1000,
};

export async function createEtcd(options: EtcdOptions): Promise<Etcd> {
  const { clock, random, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const identity = createIdentity(options);
  const webTokens = createWebTokens(options.authToken ?? "simple", clock);
  const storage = await openStorage(options, identity);
  const { state, term, wal } = storage;
  const proposals = new Proposals({ state, log: wal, clock, logger: log });
  const member: Member = {
    identity,
    term,
    state,
    proposals,
    limits,
    webTokens,
    clientCertAuth: options.clientCertAuth ?? false,
    bcryptCost: bcryptCostOf(options.bcryptCost),
    clock,
    random,
    log,
  };
  state.auth.tokens.lifeMs = (options.authTokenTTLSeconds || 300) * 1000;
  const expiry = new LeaseExpiry(member);
  const server = createServer({
    clock,
    receiveMaxBytes: limits.requestBytesMax + 512 * 1024,
    http: createHttpHandler(() => member),
  });
  const kv = createKVService(member);
  const lease = createLeaseService(member, expiry);
  const queues = new Concurrency({ member, kv, lease });
  server.add(proto.KV, kv);
  server.add(proto.Watch, createWatchService(member));
  server.add(proto.Lease, lease);
  server.add(proto.Lock, createLockService(queues));
  server.add(proto.Election, createElectionService(member, queues));
  server.add(proto.Cluster, createClusterService(member));
  server.add(proto.Maintenance, createMaintenanceService(member));
  server.add(proto.Auth, createAuthService(member));
  server.add(health.Health, createHealthService(member));
  expiry.arm();
  return {
    server,
    member,
    channel: () => server.memory(),
    listen: (where) => server.listen(typeof where === "string" ? parseListenURL(where) : where),
    async close() {
      expiry.close();
      await server.close();
      await proposals.close();
      await storage.release();
    },
  };
}

/** A cost that bcrypt does not know is replaced by its usual one, as in etcd. */
function bcryptCostOf(cost = 10): number {
  return cost >= 4 && cost <= 31 ? cost : 10;
}

interface Storage {
  readonly state: MemberState;
  readonly term: number;
  readonly wal: Wal | undefined;
  release(): Promise<void>;
}

const memoryTerm = 2;

async function openStorage(options: EtcdOptions, head: MemberIdentity): Promise<Storage> {
  const { clock, log, dataDir, unsafeNoSync, snapshotAfterBytes, segmentBytes } = options;
  const quotaBytes = options.quotaBytes || defaultQuotaBytes;
  if (dataDir === undefined && options.disk === undefined) {
    const release = async () => {};
    return { state: new MemberState(quotaBytes), term: memoryTerm, wal: undefined, release };
  }
  const locked = dataDir === undefined ? undefined : await lockDataDir(dataDir);
  const release = async () => locked?.release();
  try {
    const disk = options.disk ?? (await openDisk(locked!.logDirectory, { unsafeNoSync }));
    const onError = (error: Error) =>
      log.error({ error: error.message }, "cannot write a snapshot; the log goes on growing");
    const sizes = { quotaBytes, snapshotAfterBytes, segmentBytes };
    const opened = { disk, head, clock, log, onError, ...sizes };
    return { ...(await recover(opened)), release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** `http://host:port`, `unix:///path`; TLS needs its files and comes as ListenOptions. */
function parseListenURL(text: string): ListenOptions {
  if (text.startsWith("unix:")) return { path: text.replace(/^unixs?:(\/\/)?/, "") };
  const url = new URL(text);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 2379) };
}
