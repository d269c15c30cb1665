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
import { createHttpHandler } from "./http-endpoints.ts";
import { createIdentity, type IdentityOptions } from "./identity.ts";
import { createKVService } from "./kv-service.ts";
import { createLeaseService, LeaseExpiry } from "./lease-service.ts";
import {
  createAuthService,
  createClusterService,
  createHealthService,
  createMaintenanceService,
} from "./maintenance-service.ts";
import type { Limits, Member } from "./member.ts";
import { Proposals } from "./proposals.ts";
import { createWatchService } from "./watch-service.ts";

export interface EtcdOptions extends IdentityOptions {
  /** Absent: everything is in memory and gone at the end. */
  readonly dataDir?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly quotaBytes?: number | undefined;
  readonly limits?: Partial<Limits> | undefined;
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
  const state = new MemberState(options.quotaBytes || defaultQuotaBytes);
  const proposals = new Proposals({ state, log: undefined, clock, logger: log });
  const identity = createIdentity(options);
  const member: Member = { identity, term: 2, state, proposals, limits, clock, random, log };
  const expiry = new LeaseExpiry(member);
  const server = createServer({
    clock,
    receiveMaxBytes: limits.requestBytesMax + 512 * 1024,
    http: createHttpHandler(() => member),
  });
  server.add(proto.KV, createKVService(member));
  server.add(proto.Watch, createWatchService(member));
  server.add(proto.Lease, createLeaseService(member, expiry));
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
    },
  };
}

/** `http://host:port`, `unix:///path`; TLS needs its files and comes as ListenOptions. */
function parseListenURL(text: string): ListenOptions {
  if (text.startsWith("unix:")) return { path: text.replace(/^unixs?:(\/\/)?/, "") };
  const url = new URL(text);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 2379) };
}
