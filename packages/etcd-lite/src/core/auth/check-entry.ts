/**
 * May this user do what the entry says? Asked when the entry is applied, so that a permission that
 * was taken away before it in the log does not count any more.
 *
 * Errors  UserEmpty (nobody), AuthOldRevision, PermissionDenied, UserNotFound
 * Source  etcd v3.6 server/etcdserver/apply/apply_auth.go, txn/txn.go CheckTxnAuth
 */
import type { etcd } from "@nanokube/rpc";
import { keyText } from "../bytes.ts";
import type { PlainEntry } from "../entry.ts";
import type { Lessor } from "../lessor.ts";
import type { AuthStore, Identity } from "./auth-store.ts";

export interface Checked {
  readonly auth: AuthStore;
  readonly lessor: Lessor;
}

export function checkEntry(state: Checked, who: Identity, entry: PlainEntry): void {
  const { auth } = state;
  switch (entry.kind) {
    case "put":
      checkPutAuth(state, who, entry.request);
      break;
    case "deleteRange":
      checkDelete(auth, who, entry.request);
      break;
    case "txn":
      checkTxnAuth(auth, who, entry.request);
      break;
    case "leaseRevoke":
      checkLeaseKeys(state, who, entry.request.ID);
      break;
    case "userGet":
      if (entry.request.name !== who.username) auth.checkAdmin(who);
      break;
    case "roleGet":
      if (!auth.hasRole(who.username, entry.request.role)) auth.checkAdmin(who);
      break;
    default:
      if (needsAdmin.has(entry.kind)) auth.checkAdmin(who);
  }
}

const needsAdmin: ReadonlySet<PlainEntry["kind"]> = new Set([
  "authEnable",
  "authDisable",
  "authStatus",
  "userAdd",
  "userDelete",
  "userChangePassword",
  "userGrantRole",
  "userRevokeRole",
  "userList",
  "roleAdd",
  "roleGrantPermission",
  "roleRevokePermission",
  "roleDelete",
  "roleList",
]);

function checkPutAuth(state: Checked, who: Identity, r: etcd.PutRequest): void {
  const key = keyText(r.key);
  state.auth.checkWrite(who, key, "");
  checkLeaseKeys(state, who, r.lease);
  if (r.prevKv) state.auth.checkRange(who, key, "");
}

function checkDelete(auth: AuthStore, who: Identity, r: etcd.DeleteRangeRequest): void {
  const [key, end] = [keyText(r.key), keyText(r.rangeEnd)];
  auth.checkWrite(who, key, end);
  if (r.prevKv) auth.checkRange(who, key, end);
}

/** Who may not write all keys of a lease may not end it, and so hangs none of his own on it. */
function checkLeaseKeys({ auth, lessor }: Checked, who: Identity, id: bigint): void {
  const lease = lessor.find(id);
  if (lease === undefined || auth.isAdmin(who)) return;
  for (const key of lease.keys) auth.checkWrite(who, key, "");
}

/** Both arms: whichever is taken. */
export function checkTxnAuth(auth: AuthStore, who: Identity, r: etcd.TxnRequest): void {
  for (const { key, rangeEnd } of r.compare) auth.checkRange(who, keyText(key), keyText(rangeEnd));
  for (const { requestRange, requestPut, requestDeleteRange, requestTxn } of [
    ...r.success,
    ...r.failure,
  ]) {
    if (requestRange !== undefined) {
      auth.checkRange(who, keyText(requestRange.key), keyText(requestRange.rangeEnd));
    } else if (requestPut !== undefined) auth.checkWrite(who, keyText(requestPut.key), "");
    else if (requestDeleteRange !== undefined) checkDelete(auth, who, requestDeleteRange);
    else if (requestTxn !== undefined) checkTxnAuth(auth, who, requestTxn);
  }
}
