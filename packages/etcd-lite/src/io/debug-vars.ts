/**
 * /debug/vars: what Go's expvar prints of an etcd, as far as there is something to say.
 *
 * Source  Go expvar; etcd v3.6 server/etcdserver/raft.go (raft.status), server.go
 *         (file_descriptor_limit); go.etcd.io/raft status.go MarshalJSON
 */
import { Leader } from "../core/raft/leader.ts";
import type { Member } from "./member.ts";
import { openFiles } from "./process-metrics.ts";

export function debugVars(member: Member): string {
  const { heapUsed, heapTotal, rss, external } = process.memoryUsage();
  const memstats = { Alloc: heapUsed, Sys: rss, HeapAlloc: heapUsed, HeapSys: heapTotal };
  const vars = {
    cmdline: process.argv,
    file_descriptor_limit: openFiles()?.limit ?? 0,
    memstats: { ...memstats, OtherSys: external },
    "raft.status": raftStatus(member),
  };
  const lines = Object.entries(vars).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

const capital = (name: string) => name.replace(/^./, (letter) => letter.toUpperCase());

const hex = (id: bigint) => id.toString(16);

function raftStatus({ node, state }: Member) {
  const { id, term, vote, leader, role, log } = node.raft;
  const progress =
    role instanceof Leader
      ? Object.fromEntries(
          [...role.progress].map(([other, { match, next, state: how }]) => [
            hex(other),
            { match, next, state: `State${capital(how)}` },
          ]),
        )
      : {};
  const raftState = `State${capital(role.name)}`;
  const at = { commit: log.committed, applied: state.index };
  return { id: hex(id), term, vote: hex(vote), ...at, lead: hex(leader), raftState, progress };
}
