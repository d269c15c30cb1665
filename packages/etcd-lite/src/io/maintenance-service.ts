/**
 * The Maintenance, Cluster and Health services, as far as one member has something to say.
 *
 * What is left out is refused by name with UNIMPLEMENTED, never ignored.
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/maintenance.go, member.go, health.go
 */
import { codes, type etcd, type Handlers, health, RpcError } from "@nanokube/rpc";
import { EtcdError } from "../core/errors.ts";
import { hashKV } from "../core/hash-kv.ts";
import { readAsAdmin, writeAs } from "./identify.ts";
import { header, type Member } from "./member.ts";
import { sendSnapshot } from "./snapshot-file.ts";
import { clusterVersion, serverVersion } from "./version.ts";

function unimplemented(what: string): RpcError {
  const text = `etcdserver: ${what} is not implemented by etcd-lite`;
  return new RpcError(codes.UNIMPLEMENTED, text);
}

export function createMaintenanceService(member: Member): Handlers<typeof etcd.Maintenance> {
  const { state, identity } = member;
  return {
    status: (_request, call) =>
      readAsAdmin(member, call, () => ({
        header: header(member),
        version: serverVersion,
        dbSize: state.store.sizeBytes,
        dbSizeInUse: state.store.sizeBytes,
        dbSizeQuota: state.quotaBytes,
        leader: identity.memberId,
        raftIndex: state.index,
        raftAppliedIndex: state.index,
        raftTerm: member.term,
        storageVersion: clusterVersion,
        errors: state.alarms.map(alarmText),
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
    moveLeader: ({ targetID }, call) =>
      readAsAdmin(member, call, () => {
        if (targetID !== identity.memberId) throw new EtcdError("BadLeaderTransferee");
        return {}; // It leads already.
      }),
    snapshot: async (call) => {
      await call.first();
      await readAsAdmin(member, call, () => sendSnapshot(member, call));
    },
    downgrade: () => {
      throw unimplemented("Maintenance.Downgrade");
    },
  };
}

const alarmNames = ["NONE", "NOSPACE", "CORRUPT"];

function alarmText({ memberID, alarm }: { memberID: bigint; alarm: number }): string {
  return `memberID:${memberID} alarm:${alarmNames[alarm] ?? alarm} `;
}

export function createClusterService(member: Member): Handlers<typeof etcd.Cluster> {
  const { memberId, name, peerURLs, clientURLs } = member.identity;
  const refuseMembership = (what: string) => () => {
    throw unimplemented(`${what} (a cluster of more than one member)`);
  };
  return {
    memberList: () => ({
      header: { ...header(member), revision: 0 },
      members: [{ ID: memberId, name, peerURLs, clientURLs }],
    }),
    memberAdd: refuseMembership("Cluster.MemberAdd"),
    memberRemove: refuseMembership("Cluster.MemberRemove"),
    memberUpdate: refuseMembership("Cluster.MemberUpdate"),
    memberPromote: refuseMembership("Cluster.MemberPromote"),
  };
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
