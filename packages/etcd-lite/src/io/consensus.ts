/**
 * A member's part in the cluster, put together: its files, its log, its peers, its state.
 *
 * Three ways to begin: with a log from before (the flags then say nothing about the cluster); as
 * one of the first members, each of whom writes the same first entries; or by joining a cluster
 * that knows this member already, and from which it gets everything.
 *
 * Errors  Error, one line, for flags that do not fit the cluster; WalDamage
 * Source  etcd v3.6 server/etcdserver/bootstrap.go
 */
import type { Clock, Log, Random } from "@nanokube/machinery";
import { type Channel, createClient } from "@nanokube/rpc";
import type { Entry } from "../core/entry.ts";
import { MemberState, noSpaceAlarm } from "../core/member-state.ts";
import type { HardState, LogEntry } from "../core/raft/message.ts";
import type { LogContent } from "../core/raft/raft-log.ts";
import type { ApplyTiming } from "../core/replica.ts";
import { ColdFile } from "./cold-file.ts";
import { type DataDir, lockDataDir } from "./data-dir.ts";
import { type Disk, openDisk } from "./disk.ts";
import { decodeEntry } from "./entry-codec.ts";
import { forceAlone } from "./force-new-cluster.ts";
import { type Bootstrap, createIdentity, type IdentityOptions } from "./identity.ts";
import type { MemberIdentity } from "./member.ts";
import type { DiskMetrics } from "./metrics.ts";
import type { PeerMetrics } from "./peer-metrics.ts";
import { Peer } from "./peer-protocol.ts";
import { Peers } from "./peers.ts";
import { propose } from "./proposal.ts";
import { Proposals } from "./proposals.ts";
import { type PeerTransport, RaftNode } from "./raft-node.ts";
import { type Recovered, recover } from "./recover.ts";
import type { Wal } from "./wal.ts";

export interface ClusterOptions extends IdentityOptions {
  /** Absent, and no `disk`: everything is in memory and gone at the end. */
  readonly dataDir?: string | undefined;
  /** Where the log is kept, when it is not in the data directory. */
  readonly walDir?: string | undefined;
  /** Go on as the only member of the cluster, whoever else the log knows: after a disaster. */
  readonly forceNewCluster?: boolean | undefined;
  /** How many learners there may be at a time; 1. */
  readonly maxLearners?: number | undefined;
  /** In place of the data directory's own files: for tests that crash and tear. */
  readonly disk?: Disk | undefined;
  /** Acknowledge before the disk has it: fast, and loses writes when power fails. */
  readonly unsafeNoSync?: boolean | undefined;
  /** Log so many bytes before the first snapshot; 16 MiB. */
  readonly snapshotAfterBytes?: number | undefined;
  readonly snapshotAfterEntries?: number | undefined;
  /** Size of the log's files; 16 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Join a cluster that this member was added to, in place of beginning one. */
  readonly joinExisting?: boolean | undefined;
  readonly heartbeatMs?: number | undefined;
  readonly electionMs?: number | undefined;
  /** Stand for election soon after the start, not a whole election's length later; true. */
  readonly electionTickAdvance?: boolean | undefined;
  readonly preVote?: boolean | undefined;
  readonly checkQuorum?: boolean | undefined;
  /** How to reach a peer URL. */
  readonly connect?: ((url: string) => Channel) | undefined;
  /** In place of links to peer URLs: for simulation. */
  readonly transport?: ((member: MemberIdentity) => PeerTransport) | undefined;
  /** How long a request waits for the cluster, not counting elections; 5 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** How many entries are kept in memory for members that lag; 5,000. */
  readonly keptEntries?: number | undefined;
  /** Bytes of entries in one message, and messages under way to one member. */
  readonly appendBytesMax?: number | undefined;
  readonly inflightMax?: number | undefined;
  /** Answer reads by the leader's lease, without asking the others: needs honest clocks. */
  readonly leaseReads?: boolean | undefined;
}

export interface ConsensusOptions extends ClusterOptions {
  readonly quotaBytes: number;
  /** 1.5 MiB, as etcd measures requests. */
  readonly requestBytesMax?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onLeader: (leader: bigint) => void;
  readonly onTick: () => void;
  /** A write to the log took so long to be durable. */
  readonly onSynced?: ((tookMs: number) => void) | undefined;
  readonly metrics?: DiskMetrics | undefined;
  readonly timing?: ApplyTiming | undefined;
  readonly peerMetrics?: PeerMetrics | undefined;
  /** This member was removed from the cluster. */
  readonly onRemoved: () => void;
}

export interface Consensus {
  readonly identity: MemberIdentity;
  readonly state: MemberState;
  readonly node: RaftNode;
  readonly proposals: Proposals;
  readonly peers: Peers;
  readonly electionMs: number;
  readonly heartbeatMs: number;
  close(): Promise<void>;
}

export async function openConsensus(options: ConsensusOptions): Promise<Consensus> {
  const { dataDir, unsafeNoSync } = options;
  const locked = dataDir === undefined ? undefined : await lockDataDir(dataDir, options.walDir);
  try {
    const disk =
      options.disk ?? (locked && (await openDisk(locked.logDirectory, { unsafeNoSync })));
    const storage = locked && options.disk === undefined ? coldFile(options, locked) : undefined;
    const opened =
      disk === undefined ? await openMemory(options) : await openDisked(options, { disk, storage });
    const consensus = join(options, opened);
    return {
      ...consensus,
      async close() {
        await consensus.proposals.close();
        storage?.close();
        await locked?.release();
      },
    };
  } catch (error) {
    await locked?.release();
    throw error;
  }
}

function coldFile({ log }: ConsensusOptions, { directory }: DataDir): ColdFile {
  return new ColdFile(directory, (error) =>
    log.warn({ error: error.message }, "no room on disk for old versions: they stay in memory"),
  );
}

interface Files {
  readonly disk: Disk;
  readonly storage: ColdFile | undefined;
}

interface Opened {
  readonly bootstrap: Bootstrap;
  readonly state: MemberState;
  readonly hardState: HardState;
  readonly log: LogContent;
  readonly wal: Wal | undefined;
}

async function openMemory(options: ConsensusOptions): Promise<Opened> {
  const bootstrap = await bootstrapOf(options);
  const state = new MemberState(options.quotaBytes);
  const { hardState, entries } = firstEntries(options, bootstrap);
  const log = { base: { index: 0, term: 0 }, entries };
  return { bootstrap, state, hardState, log, wal: undefined };
}

async function openDisked(options: ConsensusOptions, files: Files): Promise<Opened> {
  const { log: logger } = options;
  const onError = (error: Error) =>
    logger.error({ error: error.message }, "cannot write a snapshot; the log goes on growing");
  const found = await recover({ ...options, ...files, onError });
  // A crash may have come before the first entries were written: then it is to be done again.
  if (found.owner !== undefined && found.hardState.term > 0) return goOn(options, found);
  const bootstrap = await bootstrapOf(options);
  const wal = found.openWal(bootstrap.identity);
  const { hardState, entries } = firstEntries(options, bootstrap);
  await wal.write({ hardState, entries, snapshot: undefined, promises: [] });
  const { state } = found;
  return { bootstrap, state, hardState, log: { base: found.log.base, entries }, wal };
}

/** Whose log it is counts, not what the flags say about a beginning that is over. */
async function goOn(options: ConsensusOptions, found: Recovered): Promise<Opened> {
  const { state } = found;
  const owner = found.owner!;
  const { name = "default" } = options;
  const peerURLs = options.peerURLs ?? ["http://localhost:2380"];
  const clientURLs = options.clientURLs ?? ["http://localhost:2379"];
  const identity = { ...owner, name, peerURLs, clientURLs };
  const wal = found.openWal(owner);
  const bootstrap = { identity, members: [] };
  const forced =
    options.forceNewCluster === true
      ? forceAlone({ ...found, cluster: state.cluster }, owner.memberId)
      : undefined;
  if (forced === undefined) return { ...found, bootstrap, state, wal };
  const { hardState, log, written } = forced;
  await wal.write({ hardState, entries: [...written], snapshot: undefined, promises: [] });
  return { bootstrap, state, hardState, log, wal };
}

/** The members that a new cluster begins with are entries like any other, and committed. */
function firstEntries(
  options: ConsensusOptions,
  { members }: Bootstrap,
): { hardState: HardState; entries: LogEntry[] } {
  if (options.joinExisting === true) return { hardState: firstHardState(0), entries: [] };
  const entries = members.map((member, i): LogEntry => {
    const entry: Entry = { kind: "memberChange", request: { action: "add", member } };
    return { index: i + 1, term: 1, payload: propose(entry, { origin: 0, sequence: 0 }) };
  });
  return { hardState: firstHardState(entries.length), entries };
}

const firstHardState = (commit: number) => ({ term: commit > 0 ? 1 : 0, vote: 0n, commit });

async function bootstrapOf(options: ConsensusOptions): Promise<Bootstrap> {
  const bootstrap = createIdentity(options);
  return options.joinExisting === true ? joinIdentity(options, bootstrap) : bootstrap;
}

/** Which of the cluster's members am I? The one whose peer URLs are mine. */
async function joinIdentity(options: ConsensusOptions, mine: Bootstrap): Promise<Bootstrap> {
  const { identity } = mine;
  const isMine = (urls: readonly string[]) =>
    [...urls].sort().join() === [...identity.peerURLs].sort().join();
  const others = mine.members.filter(({ peerURLs }) => !isMine(peerURLs));
  for (const url of others.flatMap(({ peerURLs }) => peerURLs)) {
    const channel = options.connect!(url);
    try {
      const peer = createClient(channel, Peer);
      const { clusterId, members } = await peer.members({}, { timeoutMs: 5000 });
      const self = members.find(({ peerURLs }) => isMine(peerURLs));
      if (self === undefined || members.length !== mine.members.length) {
        throw new Error(
          "error validating peerURLs: member count is unequal, or this member was not added",
        );
      }
      return { identity: { ...identity, clusterId, memberId: self.id }, members };
    } catch (error) {
      if ((error as { code?: number }).code === undefined) throw error;
      options.log.warn({ url, error: String(error) }, "failed to get the members of the cluster");
    } finally {
      channel.close();
    }
  }
  throw new Error(
    "cannot fetch cluster info from peer urls: could not retrieve cluster information",
  );
}

function join(options: ConsensusOptions, opened: Opened): Omit<Consensus, "close"> {
  const { clock, random, log: logger, onLeader, onTick } = options;
  const { heartbeatMs = 100, electionMs = 1000, requestTimeoutMs = 5000 } = options;
  const { bootstrap, state, wal, log, hardState } = opened;
  const { identity } = bootstrap;
  state.cluster.maxLearners = options.maxLearners ?? 1;
  const origin = Buffer.from(random.bytes(4)).readUInt32LE() || 1;
  const timeoutMs = requestTimeoutMs + 2 * electionMs;
  const isImmediate = wal === undefined;
  const { requestBytesMax = 1.5 * 1024 * 1024 } = options;
  const times = { timeoutMs, electionMs };
  const electionTicks = Math.max(Math.round(electionMs / heartbeatMs), 2);
  const proposals = new Proposals({ clock, origin, ...times, isImmediate, requestBytesMax });
  const peers = new Peers({
    ...identity,
    connect: options.connect!,
    cluster: state.cluster,
    initialURLs: new Map(bootstrap.members.map(({ id, peerURLs }) => [id, peerURLs])),
    clock,
    log: logger,
    metrics: options.peerMetrics,
    onLost: (id) => node.lost(id),
    onSnapshotSent: (id, isDone) => node.snapshotSent(id, isDone),
    onRemoved: options.onRemoved,
  });
  const node = new RaftNode({
    replica: {
      raft: {
        id: identity.memberId,
        membership: state.cluster.shape,
        hardState,
        log,
        electionTicks,
        // Others that have a leader do not vote: who is early disturbs nobody.
        waitedTicks: options.electionTickAdvance === false ? 0 : electionTicks - 1,
        heartbeatTicks: 1,
        random: () => random.next(),
        session: origin,
        preVote: options.preVote,
        checkQuorum: options.checkQuorum,
        leaseReads: options.leaseReads,
        appendBytesMax: options.appendBytesMax,
        inflightMax: options.inflightMax,
      },
      state,
      origin,
      keptEntries: options.keptEntries,
      decode: decodeEntry,
      nowMs: () => clock.now(),
      timing: options.timing,
      onApplied: (applied) => proposals.applied(applied),
      onRead: (read) => proposals.readReady(read),
      onMembership: () => peers.followMembership(),
    },
    wal,
    transport: options.transport?.(identity) ?? peers,
    clock,
    logger,
    tickMs: heartbeatMs,
    onLeader(leader) {
      proposals.leaderChanged(leader);
      onLeader(leader);
    },
    onTick() {
      proposals.tick();
      if (options.transport === undefined) peers.tick();
      onTick();
    },
    onFailure: () => proposals.fail(),
    onSynced: options.onSynced,
    onFull: () => proposals.fail(),
    onFree() {
      // As when the quota is reached: somebody has to look, and to say that it is well again.
      const request = { action: 1, memberID: identity.memberId, alarm: noSpaceAlarm };
      Promise.resolve(proposals.propose({ kind: "alarm", request })).catch((error) =>
        logger.error({ error: String(error) }, "cannot raise NOSPACE"),
      );
    },
  });
  proposals.attach(node);
  return { identity, state, node, proposals, peers, electionMs, heartbeatMs };
}
