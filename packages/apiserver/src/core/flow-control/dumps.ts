/**
 * Who waits and who is at work, as tables of text: by priority level, by queue, by request.
 *
 * Shapes  columns as tabwriter sets them: at least 8 wide, one space between, the last as it is
 * Source  apiserver pkg/util/flowcontrol/apf_controller_debug.go
 */

import type { Seated } from "./fair-queues.ts";
import { workIn } from "./fair-queues.ts";
import type { FlowControl, LevelState, SeatedRequest } from "./flow-control.ts";

type Row = readonly (string | number | boolean)[];
type Dump = (flowControl: FlowControl, withDetails: boolean) => string;

export const dumps: Readonly<Record<string, Dump | undefined>> = {
  dump_priority_levels: priorityLevels,
  dump_queues: queues,
  dump_requests: requests,
};

const byName = (flowControl: FlowControl): LevelState[] =>
  flowControl.levels().toSorted((a, b) => (a.name < b.name ? -1 : 1));

function priorityLevels(flowControl: FlowControl): string {
  const headings =
    "PriorityLevelName ActiveQueues IsIdle IsQuiescing WaitingRequests ExecutingRequests DispatchedRequests RejectedRequests TimedoutRequests CancelledRequests";
  const rows = byName(flowControl).map((level) => {
    const { waiting, executing, dispatched, rejected, timedOut } = level;
    const isIdle = waiting === 0 && executing === 0;
    const counts = [waiting, executing, dispatched, rejected, timedOut, 0];
    return [level.name, level.activeQueues, isIdle, false, ...counts];
  });
  return aligned([headings.split(" "), ...rows]);
}

function queues(flowControl: FlowControl): string {
  const headings =
    "PriorityLevelName Index PendingRequests ExecutingRequests SeatsInUse NextDispatchR InitialSeatsSum MaxSeatsSum TotalWorkSum";
  const rows = byName(flowControl).flatMap(({ name, queues: level }) =>
    (level?.queues ?? []).map((queue, index) => {
      const { waiting, executing, seatsInUse, nextDispatchR } = queue;
      const initial = waiting.reduce((sum, { work }) => sum + work.initialSeats, 0);
      const most = waiting.reduce((sum, { seats }) => sum + seats, 0);
      const busy = [waiting.length, executing.size, seatsInUse, seatSeconds(nextDispatchR)];
      return [name, index, ...busy, initial, most, seatSeconds(workIn(queue))];
    }),
  );
  return aligned([headings.split(" "), ...rows]);
}

const seatSeconds = (value: number): string => `${value.toFixed(8)}ss`;

function requests(flowControl: FlowControl, withDetails: boolean): string {
  const headings =
    "PriorityLevelName FlowSchemaName QueueIndex RequestIndexInQueue FlowDistingsher ArriveTime InitialSeats FinalSeats AdditionalLatency StartTime";
  const details = "UserName Verb APIPath Namespace Name APIVersion Resource SubResource";
  const row = (level: string, at: [number, number], request: Seated<SeatedRequest>): Row => {
    const { details: own, work, arrivedMs, startedMs } = request;
    const { initialSeats, finalSeats, additionalMs } = work;
    const began = Number.isNaN(startedMs) ? "0001-01-01T00:00:00Z" : timeOf(startedMs);
    const seats = [initialSeats, finalSeats, latency(additionalMs)];
    const plain = [level, own.schema, ...at, own.distinguisher, timeOf(arrivedMs), ...seats, began];
    return withDetails ? [...plain, ...detailsOf(own)] : plain;
  };
  const timeOf = (ms: number): string => new Date(flowControl.timeOf(ms)).toISOString();
  const rows = byName(flowControl).flatMap(({ name, queues: level }) => {
    const inQueues = (level?.queues ?? []).flatMap(({ waiting, executing }, index) => [
      ...waiting.map((request, i) => row(name, [index, i], request)),
      ...[...executing].map((request) => row(name, [index, -1], request)),
    ]);
    const beside = [...(level?.queueless ?? [])].map((request) => row(name, [-1, -1], request));
    return [...inQueues, ...beside];
  });
  return aligned([`${headings}${withDetails ? ` ${details}` : ""}`.split(" "), ...rows]);
}

function detailsOf({ user, info }: SeatedRequest): Row {
  const { verb, path, namespace, name, apiGroup, apiVersion, resource, subresource } = info;
  const version = apiGroup === "" ? apiVersion : `${apiGroup}/${apiVersion}`;
  return [user, verb, path, namespace, name, version, resource, subresource];
}

/** As Go prints a duration of less than a second. */
const latency = (ms: number): string => (ms === 0 ? "0s" : `${ms}ms`);

function aligned(rows: readonly Row[]): string {
  const cells = rows.map((row) =>
    row.map((cell, i) => (i < row.length - 1 ? `${cell},` : String(cell))),
  );
  const widths = cells[0]!.map((_, i) => Math.max(8, ...cells.map((row) => row[i]!.length + 1)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]!) : cell)).join("");
  return cells.map((row) => `${line(row)}\n`).join("");
}
