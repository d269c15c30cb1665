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
  dial,
  type Handlers,
  health,
  type ListenAddress,
  type ListenOptions,
  etcd as proto,
  type RpcServer,
  type ServerOptions,
  type ServiceInfo,
} from "@nanokube/rpc";
import { type FeatureGates, readGates } from "../core/feature-gates.ts";
import type { MemberState } from "../core/member-state.ts";
import { nobody } from "../core/raft/message.ts";
import { createApplyTimes } from "./apply-times.ts";
import { createAuthService } from "./auth-service.ts";
import { createClusterService } from "./cluster-service.ts";
import { CompactionHashes } from "./compaction-hashes.ts";
import { Concurrency } from "./concurrency.ts";
import { type ClusterOptions, type Consensus, openConsensus } from "./consensus.ts";
import type { CorruptionOptions } from "./corruption-check.ts";
import { counted } from "./counted.ts";
import { createElectionService } from "./election-service.ts";
import { Gate } from "./gate.ts";
import { createGatewaySockets } from "./gateway-sockets.ts";
import { createHttpHandler, type HttpAccess, onlyMetrics } from "./http-endpoints.ts";
import { createKVService } from "./kv-service.ts";
import { createLeaseService } from "./lease-service.ts";
import { Leases } from "./leases.ts";
import { createLockService } from "./lock-service.ts";
import { createHealthService, createMaintenanceService } from "./maintenance-service.ts";
import { type Limits, type Member, write } from "./member.ts";
import { MetricsRegistry } from "./metrics.ts";
import { createPeerChecks, PeerChecks } from "./peer-checks.ts";
import { Peer } from "./peer-protocol.ts";
import { createPeerService, createPeerStreams } from "./peer-service.ts";
import { PeerWatch } from "./peer-watch.ts";
import { Reconfiguration } from "./reconfiguration.ts";
import { Tidying } from "./tidying.ts";
import { noChecks, Upkeep } from "./upkeep.ts";
import { createWatchService } from "./watch-service.ts";
import { createWebTokens } from "./web-tokens.ts";

export interface EtcdOptions extends ClusterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Refuse changes of membership that could cost the majority; true. */
  readonly strictReconfigCheck?: boolean | undefined;
  /** This member was removed from the cluster: it has nothing left to do. */
  readonly onRemoved?: (() => void) | undefined;
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
  readonly http?: HttpOptions | undefined;
  readonly connections?: ConnectionLimits | undefined;
  /** How much /metrics says: "extensive" also how long calls take. */
  readonly metrics?: "basic" | "extensive" | undefined;
  /** As they were asked for, for whoever looks at /metrics. */
  readonly featureGates?: FeatureGates | undefined;
  /** Compare what the members hold: off unless asked for. */
  readonly corruption?: CorruptionOptions | undefined;
}

/** What one client may ask of its connection; see @nanokube/rpc's ServerOptions. */
export type ConnectionLimits = Pick<ServerOptions, "streamsMax" | "pingMinMs" | "keepAlive">;

export const defaultConnections = {
  pingMinMs: 5000,
  keepAlive: { intervalMs: 2 * 3_600_000, timeoutMs: 20_000 },
} as const satisfies ConnectionLimits;

export interface HttpOptions extends HttpAccess {
  /** Plain HTTP has a server of its own, and gRPC's answers gRPC only. */
  readonly isSeparate?: boolean | undefined;
  /** The JSON gateway under /v3/; on unless it is false. */
  readonly hasGateway?: boolean | undefined;
}

/** What fork() gives and reset() takes; it never changes. */
export interface StoreFork {
  readonly state: MemberState;
}

export interface Etcd {
  readonly server: RpcServer;
  /** The same plain HTTP as on `server`, without gRPC. */
  readonly httpServer: RpcServer;
  /** /metrics and the health checks, nothing else. */
  readonly metricsServer: RpcServer;
  readonly member: Member;
  /** A channel inside the process: the same services, no bytes. */
  channel(): Channel;
  listen(where: string | ListenOptions): Promise<ListenAddress>;
  /** What other members talk to. */
  readonly peerServer: RpcServer;
  /** Everything as it is now: keys and their history, leases, users. Costs next to nothing. */
  fork(): StoreFork;
  /**
   * Goes back to a fork, this one's or another's; only in memory. A watch that has seen what is
   * undone by that ends as if its past were compacted.
   */
  reset(to: StoreFork): void;
  /** Resolves when the member knows a leader and has caught up with it. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

const defaultQuotaBytes = 2 * 1024 ** 3;
const defaultLimits: Limits = {
  txnOpsMax: 128,
  requestBytesMax: 1.5 * 1024 * 1024,
  progressNotifyMs: 10 * 60 * 1000,
  warnAfterMs: 100,
};

export async function createEtcd(options: EtcdOptions): Promise<Etcd> {
  const { consensus, member, gate } = await openMember(options);
  const { state, node, leases } = member;
  const { http = {}, connections = defaultConnections } = options;
  const servers = createMemberServers(member, { ...http, connections }, gate);
  const { server } = servers;
  const peerServer = createPeerServer(member);
  await node.start();
  const upkeep = new Upkeep(member, options.connect ?? ((url) => dial(url)));
  const published = publish(member);
  const close = async () => {
    upkeep.close();
    leases.close();
    member.tidying.close();
    for (const one of Object.values(servers)) await one.close();
    await consensus.close();
    await peerServer.close();
  };
  try {
    await upkeep.start(options.corruption ?? noChecks);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...servers,
    peerServer,
    member,
    channel: () => server.memory(),
    listen: (where) => server.listen(typeof where === "string" ? parseListenURL(where) : where),
    fork: () => ({ state: state.fork() }),
    reset(to) {
      if (options.dataDir !== undefined || options.disk !== undefined || !node.isAlone) {
        throw new Error("etcd-lite: only a member alone and in memory can be reset");
      }
      state.reset(to.state);
      leases.arm();
    },
    ready: () => published,
    close,
  };
}

/** Consensus, and what stands on it; nothing moves yet. */
async function openMember(options: EtcdOptions) {
  const { clock, random, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const metrics = new MetricsRegistry({ isExtensive: options.metrics === "extensive" });
  const webTokens = createWebTokens(options.authToken ?? "simple", clock);
  const consensus = await openConsensus({
    connect: (url) => dial(url),
    ...options,
    quotaBytes: options.quotaBytes || defaultQuotaBytes,
    requestBytesMax: limits.requestBytesMax,
    onLeader(leader) {
      if (leader !== nobody) metrics.count("leaderChanges");
      member.leases.leaderChanged();
    },
    onSynced(tookMs) {
      metrics.observe("walFsync", tookMs);
      metrics.observe("commit", tookMs);
    },
    metrics,
    timing: createApplyTimes({ clock, log, metrics, warnAfterMs: limits.warnAfterMs }),
    onTick() {
      countLateHeartbeat();
      leases.arm();
      gate.tick();
      watch.tick();
    },
    onRemoved: options.onRemoved ?? (() => {}),
  });
  const { state, node } = consensus;
  const corruption = options.corruption ?? noChecks;
  const hashes = new CompactionHashes({ ofAnySize: corruption.compactHashCheckMs > 0 });
  const tidying = new Tidying({ state, clock, metrics });
  state.onCompact = (before, revision) => {
    metrics.lastCompactionSeconds = Math.floor(clock.now() / 1000);
    hashes.take(before, revision);
    tidying.start();
  };
  state.onGrant = (ttlSeconds) => metrics.observeOther("leaseSeconds", ttlSeconds);
  const countLateHeartbeat = lateHeartbeats(consensus, { clock, metrics });
  const member: Member = {
    hashes,
    tidying,
    featureGates: options.featureGates ?? readGates({}),
    ...consensus,
    get term() {
      return node.raft.term;
    },
    get leases() {
      return leases;
    },
    get reconfiguration() {
      return reconfiguration;
    },
    limits,
    webTokens,
    clientCertAuth: options.clientCertAuth ?? false,
    bcryptCost: bcryptCostOf(options.bcryptCost),
    metrics,
    clock,
    random,
    log,
  };
  const leases = new Leases(member, consensus.electionMs);
  const gate = new Gate(member);
  const watch = new PeerWatch(member);
  const isStrict = options.strictReconfigCheck ?? true;
  const reconfiguration = new Reconfiguration(member, { isStrict });
  state.auth.tokens.lifeMs = (options.authTokenTTLSeconds || 300) * 1000;
  return { consensus, member, gate };
}

/** A leader's tick that comes more than a heartbeat late says that disk or processor are busy. */
function lateHeartbeats(
  { node, heartbeatMs }: Consensus,
  { clock, metrics }: Pick<Member, "clock" | "metrics">,
): () => void {
  let lastMs: number | undefined;
  return () => {
    const nowMs = clock.monotonic();
    const isLate = lastMs !== undefined && nowMs - lastMs > 2 * heartbeatMs;
    if (isLate && node.isLeader) metrics.count("lateHeartbeats");
    lastMs = nowMs;
  };
}

const peerMessageBytesMax = 64 * 1024 * 1024;

function createPeerServer(member: Member): RpcServer {
  const server = createServer({
    clock: member.clock,
    receiveMaxBytes: peerMessageBytesMax,
    upgrade: createPeerStreams(member),
  });
  server.add(Peer, createPeerService(member));
  server.add(PeerChecks, createPeerChecks(member));
  return server;
}

interface ServingOptions extends HttpOptions {
  readonly connections: ConnectionLimits;
}

function createMemberServers(member: Member, http: ServingOptions, gate: Gate) {
  const { clock, limits } = member;
  const handler = createHttpHandler(() => ({ member, kv, channel: gateway, access: http }));
  const webSocket = http.hasGateway === false ? undefined : createGatewaySockets(handler);
  const plain = { http: handler, webSocket };
  const server = createServer({
    ...http.connections,
    clock,
    traffic: member.metrics.traffic,
    receiveMaxBytes: limits.requestBytesMax + 512 * 1024,
    ...(http.isSeparate === true ? {} : plain),
  });
  const httpServer = createServer({ clock, ...plain });
  const metricsServer = createServer({ clock, http: onlyMetrics(handler) });
  const gateway = http.hasGateway === false ? undefined : server.memory();
  const add = <S extends ServiceInfo>(service: S, handlers: Handlers<S>) =>
    server.add(service, counted(member.metrics, service, gate.guard(service, handlers)));
  const kv = createKVService(member);
  const lease = createLeaseService(member);
  const queues = new Concurrency({ member, kv, lease });
  add(proto.KV, kv);
  add(proto.Watch, createWatchService(member));
  add(proto.Lease, lease);
  add(proto.Lock, createLockService(queues));
  add(proto.Election, createElectionService(member, queues));
  add(proto.Cluster, createClusterService(member));
  add(proto.Maintenance, createMaintenanceService(member));
  add(proto.Auth, createAuthService(member));
  server.add(health.Health, createHealthService(member));
  return { server, httpServer, metricsServer };
}

/** Tells the others who this member is and where its clients find it, until they know. */
async function publish(member: Member): Promise<void> {
  const { identity, state, node, proposals, clock } = member;
  const { memberId: id, name, clientURLs } = identity;
  while (!node.isClosed) {
    const known = state.cluster.members.get(id);
    if (known?.name === name && known.clientURLs.join() === clientURLs.join()) return;
    try {
      await proposals.barrier();
      await write(member, { kind: "memberAttributes", request: { id, name, clientURLs } });
    } catch {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
    }
  }
}

/** A cost that bcrypt does not know is replaced by its usual one, as in etcd. */
function bcryptCostOf(cost = 10): number {
  return cost >= 4 && cost <= 31 ? cost : 10;
}

/** `http://host:port`, `unix:///path`; TLS needs its files and comes as ListenOptions. */
function parseListenURL(text: string): ListenOptions {
  if (text.startsWith("unix:")) return { path: text.replace(/^unixs?:(\/\/)?/, "") };
  const url = new URL(text);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 2379) };
}
