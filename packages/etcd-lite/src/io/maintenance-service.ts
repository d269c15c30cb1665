/**
 * The Maintenance and Health services.
 *
 * What is left out is refused by name with UNIMPLEMENTED, never ignored.
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/maintenance.go, health.go
 */
import { codes, type etcd, type Handlers, health, RpcError } from "@nanokube/rpc";
import { EtcdError, errors } from "../core/errors.ts";
import { hashKV } from "../core/hash-kv.ts";
import { nobody } from "../core/raft/message.ts";
import { readAsAdmin, writeAs } from "./identify.ts";
import { guardedAsync, header, type Member } from "./member.ts";
import { sendSnapshot } from "./snapshot-file.ts";
import { clusterVersion, serverVersion } from "./version.ts";

function unimplemented(what: string): RpcError {
  const text = `etcdserver: ${what} is not implemented by etcd-lite`;
  return new RpcError(codes.UNIMPLEMENTED, text);
}

export function createMaintenanceService(member: Member): Handlers<typeof etcd.Maintenance> {
  const { state, identity, node } = member;
  return {
    status: (_request, call) =>
      readAsAdmin(member, call, () => ({
        header: header(member),
        version: serverVersion,
        dbSize: state.store.sizeBytes,
        dbSizeInUse: state.store.sizeBytes,
        dbSizeQuota: state.quotaBytes,
        leader: node.raft.leader,
        raftIndex: node.raft.log.committed,
        raftAppliedIndex: state.index,
        raftTerm: member.term,
        storageVersion: clusterVersion,
        errors: statusErrors(member),
        isLearner: state.cluster.members.get(identity.memberId)?.isLearner ?? false,
        downgradeInfo: {},
      })),
    alarm: (request, call) => writeAs<etcd.AlarmResponse>(member, call, { kind: "alarm", request }),
    // Space that compaction freed is the garbage collector's: there is nothing to move.
    defragment: (_request, call) => readAsAdmin(member, call, () => ({})),
    hash: (_request, call) =>
      readAsAdmin(member, call, () => ({
        header: header(member),
        hash: hashKV(state.store, 0).hash,
      })),
    hashKV: (request, call) =>
      readAsAdmin(member, call, () => {
        const { hash, compactRevision, hashRevision } = hashKV(state.store, request.revision);
        return { header: header(member), hash, compactRevision, hashRevision };
      }),
    moveLeader: async ({ targetID }, call) => {
      await readAsAdmin(member, call, () => undefined);
      await guardedAsync(() => moveLeader(member, targetID));
      return {};
    },
    snapshot: async (call) => {
      await call.first();
      await readAsAdmin(member, call, () => sendSnapshot(member, call));
    },
    downgrade: () => {
      throw unimplemented("Maintenance.Downgrade");
    },
  };
}

/** Resolves when the other leads, or fails after an election's length. */
async function moveLeader({ node, state, clock, electionMs }: Member, to: bigint): Promise<void> {
  if (!node.isLeader) throw new EtcdError("NotLeader");
  const target = state.cluster.members.get(to);
  if (target === undefined || target.isLearner) throw new EtcdError("BadLeaderTransferee");
  node.transferTo(to);
  const untilMs = clock.monotonic() + electionMs + 5000;
  while (node.raft.leader !== to) {
    if (clock.monotonic() > untilMs) throw new EtcdError("TimeoutLeaderTransfer");
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 20));
  }
}

function statusErrors({ node, state }: Member): string[] {
  const texts = state.alarms.map(alarmText);
  return node.raft.leader === nobody ? [errors.NoLeader.text, ...texts] : texts;
}

const alarmNames = ["NONE", "NOSPACE", "CORRUPT"];

function alarmText({ memberID, alarm }: { memberID: bigint; alarm: number }): string {
  return `memberID:${memberID} alarm:${alarmNames[alarm] ?? alarm} `;
}

export function createHealthService(member: Member): Handlers<typeof health.Health> {
  const { SERVING, NOT_SERVING } = health.HealthCheckResponse_ServingStatus;
  const status = () => (member.proposals.failure === undefined ? SERVING : NOT_SERVING);
  return {
    check: ({ service }) => {
      if (service !== "") throw new RpcError(codes.NOT_FOUND, "unknown service");
      return { status: status() };
    },
    watch: async (call) => {
      await call.first();
      call.write({ status: status() });
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    },
  };
}
