/**
 * --force-new-cluster: goes on alone with what one member has, when the others are lost for good.
 *
 * Written into the log like any other change: everybody else is removed. All that the log has
 * counts: how far it was committed is not known for sure (members note it late), and nothing that
 * was acknowledged may be dropped. Entries that only the lost majority had are gone with it.
 * Errors  Error, one line, when the log does not know this member
 * Source  etcd v3.6 server/etcdserver/bootstrap.go (forceNewCluster), CreateConfigChangeEnts
 */
import { Cluster, type MemberChangeRequest } from "../core/cluster.ts";
import type { HardState, LogEntry } from "../core/raft/message.ts";
import type { LogContent } from "../core/raft/raft-log.ts";
import type { Proposal } from "../core/replica.ts";
import { decodeEntry, memberChangeKind } from "./entry-codec.ts";
import { propose } from "./proposal.ts";

export interface Survivor {
  /** As of the log's base. */
  readonly cluster: Cluster;
  readonly hardState: HardState;
  readonly log: LogContent;
}

export interface Forced {
  readonly hardState: HardState;
  readonly log: LogContent;
  /** What is to be written behind the log. */
  readonly written: readonly LogEntry[];
}

/** Undefined when there is nobody else. */
export function forceAlone(survivor: Survivor, self: bigint): Forced | undefined {
  const { hardState, log } = survivor;
  const cluster = clusterAfter(survivor.cluster, log.entries);
  const last = log.base.index + log.entries.length;
  const me = cluster.members.get(self);
  if (me === undefined) throw new Error(`member ${self.toString(16)} is not in its own log`);
  const changes: MemberChangeRequest[] = [];
  if (me.isLearner) changes.push({ action: "promote", member: me });
  for (const member of cluster.sorted) {
    if (member.id !== self) changes.push({ action: "remove", member });
  }
  if (changes.length === 0) return undefined;
  const { term } = hardState;
  const written = changes.map((request, i): LogEntry => {
    const payload = propose({ kind: "memberChange", request }, { origin: 0, sequence: 0 });
    return { index: last + 1 + i, term, payload };
  });
  return {
    hardState: { ...hardState, commit: last + written.length },
    log: { ...log, entries: [...log.entries, ...written] },
    written,
  };
}

function clusterAfter(before: Cluster, entries: readonly LogEntry[]): Cluster {
  const cluster = new Cluster();
  cluster.maxLearners = Number.POSITIVE_INFINITY;
  cluster.restore(before.members.values(), before.removed);
  for (const { payload } of entries) {
    const { raw } = (payload ?? { raw: { kind: 0 } }) as Proposal;
    if (raw.kind !== memberChangeKind) continue;
    const entry = decodeEntry(raw);
    if (entry.kind !== "memberChange") continue;
    try {
      cluster.change(entry.request);
    } catch {
      // Refused when it was applied, too.
    }
  }
  return cluster;
}
