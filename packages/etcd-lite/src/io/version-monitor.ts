/**
 * The version of the cluster, and the way down to the one before: Maintenance.Downgrade.
 *
 * Once a downgrade is enabled the leader lowers the cluster's version, so that members of the
 * release before may take the places of these one by one; when it is cancelled the version rises
 * again. These members themselves stay what they are.
 * Units   versions are `3.6.0`; what a client gives may be `3.5`
 * Errors  WrongDowngradeVersionFormat, InvalidDowngradeTargetVersion, DowngradeInProcess
 * Source  etcd v3.6 server/etcdserver/version/monitor.go, v3_server.go Downgrade
 */
import { etcd } from "@nanokube/rpc";
import { newestClusterVersion } from "../core/cluster.ts";
import { EtcdError } from "../core/errors.ts";
import { type Member, write } from "./member.ts";

export const versionCheckMs = 5000;

/** Brings the cluster's version to where it shall be; only the leader does. */
export async function followVersion(member: Member): Promise<void> {
  const { cluster } = member.state;
  const version = cluster.downgradeTarget ?? newestClusterVersion;
  if (!member.node.isLeader || cluster.version === version) return;
  const from = cluster.version;
  await write(member, { kind: "clusterVersion", request: { version } });
  member.log.info({ from, to: version }, "cluster version is updated");
}

const { VALIDATE, ENABLE, CANCEL } = etcd.DowngradeRequest_DowngradeAction;

export async function downgrade(member: Member, request: etcd.DowngradeRequest): Promise<void> {
  const { action } = request;
  if (action === VALIDATE || action === ENABLE) {
    const version = targetOf(request.version);
    await member.proposals.barrier();
    checkTarget(member, version);
    if (action === ENABLE) await propose(member, { enabled: true, version });
  } else if (action === CANCEL) await propose(member, { enabled: false, version: "" });
  else throw new EtcdError("UnknownMethod");
}

async function propose(member: Member, request: { enabled: boolean; version: string }) {
  await write(member, { kind: "downgradeInfo", request });
}

function targetOf(text: string): string {
  const match = /^(\d+)\.(\d+)(\.\d+)?$/.exec(text);
  if (match === null) throw new EtcdError("WrongDowngradeVersionFormat");
  return `${match[1]}.${match[2]}.0`;
}

function checkTarget({ state }: Member, version: string): void {
  const [major, minor] = state.cluster.version.split(".").map(Number);
  if (version !== `${major}.${minor! - 1}.0`) throw new EtcdError("InvalidDowngradeTargetVersion");
  if (state.cluster.downgradeTarget !== undefined) throw new EtcdError("DowngradeInProcess");
}
