/**
 * Moves a record of the packed store: who referred to it refers to the copy.
 */
import type { KeyIndex } from "./key-index.ts";
import { addRecord, copyMessage, readRecord } from "./packed-record.ts";
import type { RecordArena } from "./record-arena.ts";
import type { RevisionLog } from "./revision-log.ts";

/** The parts of a packed store. */
interface Parts {
  readonly arena: RecordArena;
  readonly index: KeyIndex;
  readonly log: RevisionLog<number>;
}

export interface Move {
  readonly key: string;
  readonly ref: number;
  /** What comes before the copy. */
  readonly before: number;
}

/** Copies a record, and newer ones as long as they cannot be made to refer to the copy. */
export function moveRecord(parts: Parts, { key, ref, before }: Move): void {
  const { arena, index } = parts;
  const head = index.get(key);
  let at = ref;
  let copy = copyRecord(parts, at, before);
  while (at !== Math.abs(head)) {
    arena.supersede(copy);
    let newer = Math.abs(head);
    while (arena.before(newer) !== at) newer = arena.before(newer);
    arena.release(at);
    if (arena.setBefore(newer, copy)) return;
    at = newer;
    copy = copyRecord(parts, at, copy);
  }
  index.set(key, head < 0 ? -copy : copy);
  arena.release(at);
}

function copyRecord({ arena, log }: Parts, ref: number, before: number): number {
  const kv = readRecord(arena, ref);
  const head = { before, size: kv.to - kv.from, sub: kv.sub, keyBytes: kv.key.length };
  const copy = addRecord(arena, head);
  copyMessage(arena, copy, kv);
  log.replace(kv.modRevision, ref, copy);
  return copy;
}
