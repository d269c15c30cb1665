/**
 * The KV service: Range, Put, DeleteRange, Txn, Compact on the wire.
 *
 * Reads are linearizable: a member that is alone applied what it acknowledged; others ask the
 * leader first (io/proposals.ts, barrier), unless the request is content with old state.
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/key.go, quota.go
 */
import type { etcd, Handlers, Init } from "@nanokube/rpc";
import { checkTxnAuth } from "../core/auth/check-entry.ts";
import { keyText } from "../core/bytes.ts";
import { checkDeleteRange, checkPut, checkRange, checkTxn } from "../core/check-request.ts";
import { EtcdError } from "../core/errors.ts";
import { executeRange, executeTxn, isReadOnly } from "../core/kv-requests.ts";
import { noSpaceAlarm, putCostBytes, txnCostBytes } from "../core/member-state.ts";
import { warnOfSlowness } from "./apply-times.ts";
import { readAs, writeAs } from "./identify.ts";
import { executeLongRange } from "./long-range.ts";
import { answer, guarded, type Member } from "./member.ts";

export function createKVService(member: Member): Handlers<typeof etcd.KV> {
  const { state } = member;
  return {
    range: (request, call) => {
      guarded(() => checkRange(request));
      return readAs<Init<etcd.RangeResponse>>(member, call, {
        isLinearizable: !request.serializable,
        check: (who) => state.auth.checkRange(who, keyText(request.key), keyText(request.rangeEnd)),
        run: () => {
          state.tally.range();
          state.tally.end();
          return timeRange(
            member,
            () =>
              executeLongRange(member, request) ??
              answer(member, executeRange(state.store, request)),
          );
        },
      });
    },

    put: (request, call) => {
      guarded(() => {
        checkRoom(member, putCostBytes(request));
        checkPut(request);
      });
      return writeAs<etcd.PutResponse>(member, call, {
        kind: "put",
        request,
        bytes: call.requestBytes,
      });
    },

    deleteRange: (request, call) => {
      guarded(() => checkDeleteRange(request));
      return writeAs<etcd.DeleteRangeResponse>(member, call, {
        kind: "deleteRange",
        request,
        bytes: call.requestBytes,
      });
    },

    txn: (request, call) => {
      guarded(() => {
        checkRoom(member, txnCostBytes(request));
        checkTxn(request, member.limits.txnOpsMax);
      });
      if (!isReadOnly(request)) {
        return writeAs<etcd.TxnResponse>(member, call, {
          kind: "txn",
          request,
          bytes: call.requestBytes,
        });
      }
      return readAs(member, call, {
        isLinearizable: !isSerializable(request),
        check: (who) => checkTxnAuth(state.auth, who, request),
        run: () => {
          const { store, lessor, tally } = state;
          const response = executeTxn({ store, lessor, txn: store.begin(), tally }, request);
          tally.end();
          return answer(member, response);
        },
      });
    },

    compact: async (request, call) => {
      const entry = { kind: "compact", request } as const;
      const response = await writeAs<etcd.CompactionResponse>(member, call, entry);
      if (request.physical) await member.tidying.start();
      return response;
    },
  };
}

/** How long it takes to find what is asked for, once it may be looked for. */
function timeRange<T>(member: Member, run: () => T | Promise<T>): T | Promise<T> {
  const { clock, metrics, limits } = member;
  const sinceMs = clock.monotonic();
  const done = (success: boolean) => {
    const tookMs = clock.monotonic() - sinceMs;
    metrics.ranged(success, tookMs);
    const { warnAfterMs } = limits;
    if (tookMs > warnAfterMs) warnOfSlowness({ ...member, warnAfterMs }, "Range", tookMs);
  };
  try {
    const found = run();
    if (!(found instanceof Promise)) {
      done(true);
      return found;
    }
    return found.finally(() => done(true));
  } catch (error) {
    done(false);
    throw error;
  }
}

/** A transaction may look at old state when each of its reads may. */
function isSerializable({ success, failure }: etcd.TxnRequest): boolean {
  return [...success, ...failure].every((op) => op.requestRange?.serializable === true);
}

/** A request that does not fit raises the alarm, which then refuses every later one. */
export function checkRoom(member: Member, costBytes: number): void {
  if (member.state.hasRoom(costBytes)) return;
  const request = { action: 1, memberID: member.identity.memberId, alarm: noSpaceAlarm };
  const raised = member.proposals.propose({ kind: "alarm", request });
  if (raised instanceof Promise) {
    raised.catch((error) => member.log.error({ error: String(error) }, "cannot raise NOSPACE"));
  }
  throw new EtcdError("NoSpace");
}
