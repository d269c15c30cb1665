/**
 * Where audit events go: lines of JSON in a file that is changed for a new one when it is large, or
 * batches sent to another server.
 *
 * Units   maxSizeBytes of one file; maxBackups old files; a batch has at most 400 events and waits
 *         at most 30 s
 * Source  apiserver plugin/pkg/audit/{log,webhook,buffered}, pkg/server/options/audit.go
 */
import {
  createWriteStream,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  type WriteStream,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import type { Clock, KubeObject, Log } from "@nanokube/machinery";
import type { AuditSink } from "../core/audit/trail.ts";

export interface AuditLogOptions {
  /** "-" is standard output. */
  path: string;
  maxSizeBytes: number;
  maxBackups: number;
  clock: Clock;
}

export function createAuditLog(options: AuditLogOptions): AuditSink {
  if (options.path === "-")
    return (event) => void process.stdout.write(`${JSON.stringify(event)}\n`);
  const { path, maxSizeBytes } = options;
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let out: WriteStream = open(path);
  return (event) => {
    const line = `${JSON.stringify(event)}\n`;
    if (maxSizeBytes > 0 && size + line.length > maxSizeBytes && size > 0) {
      out.end();
      putAside(options);
      out = open(path);
      size = 0;
    }
    size += line.length;
    out.write(line);
  };
}

function open(path: string): WriteStream {
  return createWriteStream(path, { flags: "a", mode: 0o600 });
}

/** audit.log → audit-2026-11-21T10-00-00.000.log; the oldest ones go. */
function putAside({ path, maxBackups, clock }: AuditLogOptions): void {
  const ending = extname(path);
  const stem = basename(path, ending);
  const time = new Date(clock.now()).toISOString().replaceAll(":", "-").replace("Z", "");
  renameSync(path, join(dirname(path), `${stem}-${time}${ending}`));
  if (maxBackups <= 0) return;
  const old = readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${stem}-`) && name.endsWith(ending))
    .toSorted();
  for (const name of old.slice(0, -maxBackups)) unlinkSync(join(dirname(path), name));
}

const batchMax = 400;
const batchWaitMs = 30_000;
const bufferMax = 10_000;

export interface AuditWebhookOptions {
  send(list: KubeObject): Promise<unknown>;
  clock: Clock;
  log: Log;
}

/** What does not arrive is dropped and said so in the log: requests do not wait for it. */
export function createAuditWebhook({ send, clock, log }: AuditWebhookOptions): AuditSink {
  let batch: KubeObject[] = [];
  let isWaiting = false;
  const flush = (): void => {
    const items = batch;
    batch = [];
    isWaiting = false;
    if (items.length === 0) return;
    const list = { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items };
    send(list).catch((error: unknown) =>
      log.error({ error: String(error), events: items.length }, "audit events are lost"),
    );
  };
  return (event) => {
    if (batch.length >= bufferMax) return;
    batch.push(event);
    if (batch.length >= batchMax) return flush();
    if (isWaiting) return;
    isWaiting = true;
    clock.setTimeout(flush, batchWaitMs);
  };
}
