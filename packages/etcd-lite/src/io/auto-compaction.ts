/**
 * Compaction by itself: keep the last N revisions, or the revisions of the last while.
 *
 * revision  every 5 minutes, to (revision - retention)
 * periodic  the revision is noted ten times a period (at least each 6 minutes); what was current
 *           one retention ago is compacted to, at most once an hour
 * Source    etcd v3.6 server/etcdserver/api/v3compactor/revision.go, periodic.go
 */
import type { TimerHandle } from "@nanokube/machinery";
import { type Member, write } from "./member.ts";

export interface AutoCompaction {
  readonly mode: "periodic" | "revision";
  /** Revisions, or milliseconds. */
  readonly retention: number;
}

const revisionCheckMs = 5 * 60_000;
const hourMs = 3_600_000;

export function startAutoCompaction(member: Member, how: AutoCompaction): { stop(): void } {
  const { clock, log } = member;
  const everyMs = how.mode === "revision" ? revisionCheckMs : Math.min(how.retention, hourMs) / 10;
  const notes: { atMs: number; revision: number }[] = [];
  let timer: TimerHandle;
  let compacted = 0;
  let lastMs = clock.now();

  const target = (): number => {
    const { revision } = member.state.store;
    if (how.mode === "revision") return revision - how.retention;
    const nowMs = clock.now();
    notes.push({ atMs: nowMs, revision });
    while (notes.length > 1 && notes[1]!.atMs <= nowMs - how.retention) notes.shift();
    const oldest = notes[0]!;
    const isDue = nowMs - lastMs >= Math.min(how.retention, hourMs);
    return isDue && oldest.atMs <= nowMs - how.retention ? oldest.revision : 0;
  };
  const check = async () => {
    const revision = target();
    if (revision > 0 && revision > compacted) {
      lastMs = clock.now();
      try {
        const request = { revision, physical: false };
        await write(member, { kind: "compact", request });
        log.info({ revision, mode: how.mode }, "finished auto compaction");
      } catch (error) {
        log.warn({ revision, error: String(error) }, "auto compaction failed");
      }
      compacted = revision;
    }
    timer = clock.setTimeout(check, everyMs);
  };
  timer = clock.setTimeout(check, everyMs);
  return { stop: () => clock.clearTimeout(timer) };
}
