/**
 * The Maintenance and Health services.
 *
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/maintenance.go, health.go
 */
import { codes, type etcd, type Handlers, health, RpcError } from "@nanokube/rpc";
import { EtcdError, errors } from "../core/errors.ts";
import { hashKV } from "../core/hash-kv.ts";
import { nobody } from "../core/raft/message.ts";
import { readAsAdmin, writeAs } from "./identify.ts";
import { guardedAsync, header, type Member } from "./member.ts";
import { answerHashKV } from "./peer-checks.ts";
import { sendSnapshot } from "./snapshot-file.ts";
import { serverVersion } from "./version.ts";
import { downgrade } from "./version-monitor.ts";

export function createMaintenanceService(member: Member): Handlers<typeof etcd.Maintenance> {
  const { state, identity, node } = member;
  return {
    status: (_request, call) =>
      readAsAdmin(member, call, () => ({
        header: header(member),
        version: serverVersion,
        dbSize: state.heldBytes,
        dbSizeInUse: state.sizeBytes,
        dbSizeQuota: state.quotaBytes,
        leader: node.raft.leader,
        raftIndex: node.raft.log.committed,
        raftAppliedIndex: state.index,
        raftTerm: member.term,
        storageVersion: state.cluster.version,
        errors: statusErrors(member),
        isLearner: state.cluster.members.get(identity.memberId)?.isLearner ?? false,
        downgradeInfo: downgradeInfo(member),
      })),
    alarm: (request, call) => writeAs<etcd.AlarmResponse>(member, call, { kind: "alarm", request }),
    defragment: async (_request, call) => {
      await readAsAdmin(member, call, () => undefined);
      await defragment(member);
      return {};
    },
    hash: (_request, call) =>
      readAsAdmin(member, call, () => {
        const fromMs = member.clock.monotonic();
        const { hash } = hashKV(state.store, 0);
        member.metrics.observe("hash", member.clock.monotonic() - fromMs);
        return { header: header(member), hash };
      }),
    hashKV: async (request, call) => {
      await readAsAdmin(member, call, () => undefined);
      return answerHashKV(member, request);
    },
    moveLeader: async ({ targetID }, call) => {
      await readAsAdmin(member, call, () => undefined);
      await guardedAsync(() => moveLeader(member, targetID));
      return {};
    },
    snapshot: async (call) => {
      await call.first();
      const fromMs = member.clock.monotonic();
      await readAsAdmin(member, call, () => sendSnapshot(member, call));
      member.metrics.observe("sendSnapshot", member.clock.monotonic() - fromMs);
    },
    downgrade: async (request, call) => {
      await readAsAdmin(member, call, () => undefined);
      await guardedAsync(() => downgrade(member, request));
      return { header: header(member), version: state.cluster.version.replace(/\.0$/, "") };
    },
  };
}

function downgradeInfo({ state }: Member) {
  const { downgradeTarget: targetVersion } = state.cluster;
  return targetVersion === undefined ? {} : { enabled: true, targetVersion };
}

/** Clears away what compactions left, a portion a turn: writes go on meanwhile. */
async function defragment({ state, metrics, clock }: Member): Promise<void> {
  const fromMs = clock.monotonic();
  metrics.isDefragmenting = true;
  while (state.store.tidy?.(tidiedAtOnce) === true) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  metrics.isDefragmenting = false;
  metrics.observe("defragment", clock.monotonic() - fromMs);
}

const tidiedAtOnce = 1000;

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
