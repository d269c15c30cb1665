/**
 * The replicated state of a member: what every entry of the log does, in order.
 *
 * `apply` is a function of the state and the entry (time only sets when leases run out), so that
 * the same log always gives the same state. It throws EtcdError for entries that change nothing.
 * Source  etcd v3.6 server/etcdserver/apply/apply.go, storage/quota.go
 */
import type { etcd, Init } from "@nanokube/rpc";
import { AuthStore, type Identity, nobody } from "./auth/auth-store.ts";
import { checkEntry } from "./auth/check-entry.ts";
import { Cluster } from "./cluster.ts";
import type { Entry, PlainEntry } from "./entry.ts";
import { EtcdError } from "./errors.ts";
import { executeDeleteRange, executePut, executeTxn, type TxnContext } from "./kv-requests.ts";
import { createLessor, type Lessor } from "./lessor.ts";
import type { MvccStore } from "./mvcc-store.ts";
import { OperationTally } from "./operation-tally.ts";
import { createPackedStore } from "./packed-store.ts";
import type { ColdStorage } from "./record-arena.ts";
import { createWatchHub, type WatchHub } from "./watch-hub.ts";

export const noSpaceAlarm = 1;
export const corruptAlarm = 2;

export interface Alarm {
  readonly memberID: bigint;
  readonly alarm: number;
}

export interface Slots {
  readonly store?: MvccStore | undefined;
  readonly lessor?: Lessor | undefined;
  /** Where old versions go that would fill memory. */
  readonly storage?: ColdStorage | undefined;
}

export class MemberState {
  /** These two are others after a snapshot came from the leader: ask for them each time. */
  store: MvccStore;
  lessor: Lessor;
  readonly hub: WatchHub;
  readonly cluster = new Cluster();
  readonly auth = new AuthStore();
  readonly quotaBytes: number;
  readonly tally = new OperationTally();
  readonly storage: ColdStorage | undefined;
  readonly alarms: Alarm[] = [];
  /** Told of each compaction, with the store as it was before. */
  onCompact: ((before: MvccStore, revision: number) => void) | undefined;
  /** Told of each lease that is granted. */
  onGrant: ((ttlSeconds: number) => void) | undefined;
  leasesGranted = 0;
  leasesRevoked = 0;
  /** Index of the last entry applied. */
  index = 0;

  constructor(quotaBytes: number, slots: Slots = {}) {
    this.quotaBytes = quotaBytes;
    this.storage = slots.storage;
    this.store = slots.store ?? createPackedStore(undefined, slots.storage);
    this.lessor = slots.lessor ?? createLessor();
    this.hub = createWatchHub(this.store);
  }

  hasAlarm(alarm: number): boolean {
    return this.alarms.some((a) => a.alarm === alarm);
  }

  /** What the store takes up, as etcd counts it: an empty one has pages too. */
  get sizeBytes(): number {
    return emptyStoreBytes + this.store.sizeBytes;
  }

  /** With what compactions left, and what was made ready for the writes to come. */
  get heldBytes(): number {
    return emptyStoreBytes + Math.max(this.store.heldBytes ?? 0, this.store.sizeBytes);
  }

  /** Whether a write of `costBytes` still fits. */
  hasRoom(costBytes: number): boolean {
    if (costBytes === 0 || this.quotaBytes < 0) return true;
    return this.sizeBytes + costBytes < this.quotaBytes;
  }

  /** The mark of a new leader: takes a place in the log and does nothing. */
  skip(): void {
    this.index++;
  }

  /** Becomes what another state is: the leader's, which is ahead. */
  adopt(other: MemberState): void {
    this.index = other.index;
    this.store = other.store;
    this.lessor = other.lessor;
    this.auth.restore(other.auth.content());
    this.alarms.splice(0, this.alarms.length, ...other.alarms);
    this.cluster.copy(other.cluster);
    this.hub.rebase(other.store);
  }

  /** Goes back to what it was, or over to what another is; the log goes on where it is. */
  reset(to: MemberState): void {
    const { index } = this;
    this.adopt(to.fork());
    this.index = index;
  }

  /** The same state for somebody who only reads it, such as who writes a snapshot. */
  fork(): MemberState {
    const fork = new MemberState(this.quotaBytes, {
      store: this.store.fork(),
      lessor: this.lessor.fork(),
    });
    fork.index = this.index;
    fork.auth.restore(this.auth.content());
    fork.alarms.push(...this.alarms);
    fork.cluster.copy(this.cluster);
    return fork;
  }

  apply(entry: Entry, nowMs: number): unknown {
    this.index++;
    if (entry.kind === "as") return this.#applyAs(entry.who, entry.entry, nowMs);
    return this.#applyAs(nobody, entry, nowMs);
  }

  #applyAs(who: Identity, entry: PlainEntry, nowMs: number): unknown {
    switch (entry.kind) {
      case "memberChange":
        return this.cluster.change(entry.request);
      case "memberAttributes":
        return this.cluster.setAttributes(entry.request);
      case "downgradeInfo":
        return this.cluster.setDowngrade(entry.request);
      case "clusterVersion":
        this.cluster.version = entry.request.version;
        return undefined;
      case "leaseCheckpoint":
        return this.lessor.checkpoint(entry.request.checkpoints);
    }
    if (this.hasAlarm(corruptAlarm) && changesKeys.has(entry.kind)) throw new EtcdError("Corrupt");
    if (this.auth.enabled) {
      this.#refuseEntryWhenFull(entry);
      checkEntry(this, who, entry);
    }
    switch (entry.kind) {
      case "put":
        this.#refuseWhenFull();
        return this.#write((context) => executePut(context, entry.request));
      case "deleteRange":
        return this.#write((context) => executeDeleteRange(context, entry.request));
      case "txn":
        if (txnCostBytes(entry.request) > 0) this.#refuseWhenFull();
        return this.#write((context) => executeTxn(context, entry.request));
      case "compact":
        return this.#compact(entry.request.revision);
      case "leaseGrant":
        return this.#grant(entry.request, nowMs);
      case "leaseRevoke":
        return this.#revoke(entry.request);
      case "alarm":
        return this.#alarm(entry.request);
      default:
        return { header: { revision: this.store.revision }, ...this.auth.apply(entry, nowMs) };
    }
  }

  /** Before anybody's permission is looked at: as etcd, a full store refuses all alike. */
  #refuseEntryWhenFull(entry: PlainEntry): void {
    const isWrite =
      entry.kind === "put" ||
      entry.kind === "leaseGrant" ||
      (entry.kind === "txn" && txnCostBytes(entry.request) > 0);
    if (isWrite) this.#refuseWhenFull();
  }

  #refuseWhenFull(): void {
    if (this.hasAlarm(noSpaceAlarm)) throw new EtcdError("NoSpace");
  }

  #write<T>(change: (context: TxnContext) => T): T {
    const { store, lessor, tally } = this;
    const txn = store.begin();
    let response: T;
    try {
      response = change({ store, lessor, txn, tally });
    } finally {
      tally.end();
    }
    txn.commit();
    if (txn.changes.length > 0) {
      this.lessor.follow(txn.changes);
      this.hub.notify(txn.revision, txn.changes);
    }
    return response;
  }

  #compact(revision: number): Init<etcd.CompactionResponse> {
    const before = this.onCompact === undefined ? undefined : this.store.fork();
    this.store.compact(revision);
    if (before !== undefined) this.onCompact?.(before, revision);
    this.tally.range(); // So does etcd, to learn the revision.
    this.tally.end();
    return { header: { revision: this.store.revision } };
  }

  #grant(request: etcd.LeaseGrantRequest, nowMs: number): Init<etcd.LeaseGrantResponse> {
    this.#refuseWhenFull();
    const lease = this.lessor.grant(request.ID, request.TTL, nowMs);
    this.leasesGranted++;
    this.onGrant?.(lease.ttlSeconds);
    return { header: { revision: this.store.revision }, ID: lease.id, TTL: lease.ttlSeconds };
  }

  #revoke(request: etcd.LeaseRevokeRequest): Init<etcd.LeaseRevokeResponse> {
    const keys = this.lessor.revoke(request.ID);
    this.leasesRevoked++;
    this.#write(({ txn, tally }) => {
      for (const key of keys) {
        tally?.delete();
        txn.deleteRange({ key, end: undefined });
      }
    });
    return { header: { revision: this.store.revision } };
  }

  #alarm({ action, memberID, alarm }: etcd.AlarmRequest): Init<etcd.AlarmResponse> {
    const header = { revision: this.store.revision };
    if (action === 0) {
      const alarms = this.alarms.filter((a) => alarm === 0 || a.alarm === alarm);
      return { header, alarms };
    }
    const at = this.alarms.findIndex((a) => a.alarm === alarm && a.memberID === memberID);
    const changed = { memberID, alarm };
    if (action === 1 && alarm !== 0) {
      if (at < 0) this.alarms.push(changed);
    } else if (action === 2 && at >= 0) this.alarms.splice(at, 1);
    else return { header };
    return { header, alarms: [{ memberID, alarm }] };
  }
}

/** What a corrupt cluster must not do; it still answers reads, and can be looked after. */
const changesKeys: ReadonlySet<PlainEntry["kind"]> = new Set([
  "put",
  "deleteRange",
  "txn",
  "compact",
  "leaseGrant",
  "leaseRevoke",
]);

const emptyStoreBytes = 16_384;
const keyValueOverheadBytes = 256;
export const leaseCostBytes = 64;

export function putCostBytes(r: etcd.PutRequest): number {
  return keyValueOverheadBytes + r.key.length + r.value.length;
}

export function txnCostBytes(r: etcd.TxnRequest): number {
  const sum = (ops: readonly etcd.RequestOp[]) =>
    ops.reduce((total, op) => total + (op.requestPut ? putCostBytes(op.requestPut) : 0), 0);
  return Math.max(sum(r.success), sum(r.failure));
}
