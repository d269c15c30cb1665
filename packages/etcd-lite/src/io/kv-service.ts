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
import { readAs, writeAs } from "./identify.ts";
import { executeLongRange, isLongRange } from "./long-range.ts";
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
          member.metrics.count("range");
          if (isLongRange(state, request)) return executeLongRange(member, request);
          return answer(member, executeRange(state.store, request));
        },
      });
    },

    put: (request, call) => {
      guarded(() => {
        checkRoom(member, putCostBytes(request));
        checkPut(request);
      });
      member.metrics.count("put");
      return writeAs<etcd.PutResponse>(member, call, {
        kind: "put",
        request,
        bytes: call.requestBytes,
      });
    },

    deleteRange: (request, call) => {
      guarded(() => checkDeleteRange(request));
      member.metrics.count("delete");
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
      member.metrics.count("txn");
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
          const { store, lessor } = state;
          const response = executeTxn({ store, lessor, txn: store.begin() }, request);
          return answer(member, response);
        },
      });
    },

    compact: async (request, call) => {
      const entry = { kind: "compact", request } as const;
      const response = await writeAs<etcd.CompactionResponse>(member, call, entry);
      const tidied = tidy(member);
      if (request.physical) await tidied;
      return response;
    },
  };
}

const tidiedAtOnce = 500;

/** Clears away what compactions forgot, a little in each turn of the event loop. */
async function tidy({ state }: Member): Promise<void> {
  while (state.store.tidy?.(tidiedAtOnce) === true) {
    await new Promise((resolve) => setImmediate(resolve));
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
