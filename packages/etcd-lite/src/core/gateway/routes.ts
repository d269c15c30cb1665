/**
 * Which path of the gateway is which method.
 *
 * Source  etcd v3.6 api/etcdserverpb/rpc.proto and the others' `google.api.http` options
 */
import { etcd, type MethodInfo } from "@nanokube/rpc";

type AnyMethod = MethodInfo<never, object>;

const { KV, Watch, Lease, Cluster, Maintenance, Auth, Lock, Election } = etcd;

const table = {
  "kv/range": KV.methods.range,
  "kv/put": KV.methods.put,
  "kv/deleterange": KV.methods.deleteRange,
  "kv/txn": KV.methods.txn,
  "kv/compaction": KV.methods.compact,
  watch: Watch.methods.watch,
  "lease/grant": Lease.methods.leaseGrant,
  "lease/revoke": Lease.methods.leaseRevoke,
  "kv/lease/revoke": Lease.methods.leaseRevoke,
  "lease/keepalive": Lease.methods.leaseKeepAlive,
  "lease/timetolive": Lease.methods.leaseTimeToLive,
  "kv/lease/timetolive": Lease.methods.leaseTimeToLive,
  "lease/leases": Lease.methods.leaseLeases,
  "kv/lease/leases": Lease.methods.leaseLeases,
  "cluster/member/add": Cluster.methods.memberAdd,
  "cluster/member/remove": Cluster.methods.memberRemove,
  "cluster/member/update": Cluster.methods.memberUpdate,
  "cluster/member/list": Cluster.methods.memberList,
  "cluster/member/promote": Cluster.methods.memberPromote,
  "maintenance/alarm": Maintenance.methods.alarm,
  "maintenance/status": Maintenance.methods.status,
  "maintenance/defragment": Maintenance.methods.defragment,
  "maintenance/hash": Maintenance.methods.hash,
  "maintenance/hashkv": Maintenance.methods.hashKV,
  "maintenance/snapshot": Maintenance.methods.snapshot,
  "maintenance/transfer-leadership": Maintenance.methods.moveLeader,
  "maintenance/downgrade": Maintenance.methods.downgrade,
  "auth/enable": Auth.methods.authEnable,
  "auth/disable": Auth.methods.authDisable,
  "auth/status": Auth.methods.authStatus,
  "auth/authenticate": Auth.methods.authenticate,
  "auth/user/add": Auth.methods.userAdd,
  "auth/user/get": Auth.methods.userGet,
  "auth/user/list": Auth.methods.userList,
  "auth/user/delete": Auth.methods.userDelete,
  "auth/user/changepw": Auth.methods.userChangePassword,
  "auth/user/grant": Auth.methods.userGrantRole,
  "auth/user/revoke": Auth.methods.userRevokeRole,
  "auth/role/add": Auth.methods.roleAdd,
  "auth/role/get": Auth.methods.roleGet,
  "auth/role/list": Auth.methods.roleList,
  "auth/role/delete": Auth.methods.roleDelete,
  "auth/role/grant": Auth.methods.roleGrantPermission,
  "auth/role/revoke": Auth.methods.roleRevokePermission,
  "election/campaign": Election.methods.campaign,
  "election/proclaim": Election.methods.proclaim,
  "election/leader": Election.methods.leader,
  "election/observe": Election.methods.observe,
  "election/resign": Election.methods.resign,
  "lock/lock": Lock.methods.lock,
  "lock/unlock": Lock.methods.unlock,
} as const;

const routes = new Map(Object.entries(table as unknown as Record<string, AnyMethod>));

/** `/v3/kv/range`; the old `/v3beta/…` means the same. */
export function findRoute(path: string): AnyMethod | undefined {
  const match = /^\/v3(?:beta)?\/(.*)$/.exec(path);
  return match === null ? undefined : routes.get(match[1]!);
}
