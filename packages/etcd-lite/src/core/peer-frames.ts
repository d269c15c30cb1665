/**
 * Messages between members as bytes of a stream.
 *
 *     frame    bytes that follow (u32), then
 *              type (u8), flag (u8), 0 (u16), term, index, logTerm, commit, number (five f64)
 *              hintIndex, hintTerm (two f64, of an answer to an append), or entry*
 *     entry    bytes (u32), kind (u8), 0 (u8 × 3), origin (u32), term, sequence (two f64), bytes
 *
 * Integers are little-endian, and exact in a f64. Who a message is from and to is known from the
 * stream. Kind 0 is the mark of a new leader. Snapshots have a way of their own.
 *
 * Errors  Error for a frame that makes no sense: the stream is of no use any more
 */
import type { LogEntry, MemberId, Message, Payload } from "./raft/message.ts";
import type { Proposal } from "./replica.ts";
import type { RawEntry } from "./wal-frame.ts";

const lengthBytes = 4;
const headBytes = 44;
const entryHeadBytes = 28;
const frameMaxBytes = 256 * 1024 * 1024;

/** Their places are what stands on the wire. */
const types: readonly Message["type"][] = [
  "preVote",
  "preVoteAnswer",
  "vote",
  "voteAnswer",
  "append",
  "appendAnswer",
  "heartbeat",
  "heartbeatAnswer",
  "snapshot",
  "timeoutNow",
  "propose",
  "readIndex",
  "readIndexAnswer",
];

/** What all types have together; each uses what it needs. */
interface Fields {
  readonly flag?: boolean | undefined;
  readonly index?: number;
  readonly logTerm?: number;
  readonly commit?: number;
  readonly number?: number;
  readonly hint?: { readonly index: number; readonly term: number };
  readonly entries?: readonly Entry[];
}

interface Entry {
  readonly term: number;
  readonly payload: Payload | undefined;
}

export function encodeMessages(messages: readonly Message[]): Buffer {
  const fields = messages.map(fieldsOf);
  const sizes = fields.map(sizeOf);
  const out = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [i, message] of messages.entries()) {
    out.writeUInt32LE(sizes[i]! - lengthBytes, at);
    writeBody(out, at + lengthBytes, message, fields[i]!);
    at += sizes[i]!;
  }
  return out;
}

function sizeOf({ hint, entries }: Fields): number {
  let size = lengthBytes + headBytes + (hint === undefined ? 0 : 16);
  for (const { payload } of entries ?? []) size += entryHeadBytes + rawOf(payload).bytes.length;
  return size;
}

function writeBody(out: Buffer, from: number, message: Message, fields: Fields): void {
  const { flag = false, index = 0, logTerm = 0, commit = 0, number = 0, hint, entries } = fields;
  out[from] = types.indexOf(message.type);
  out[from + 1] = flag ? 1 : 0;
  out.writeUInt16LE(0, from + 2);
  out.writeDoubleLE(message.term, from + 4);
  out.writeDoubleLE(index, from + 12);
  out.writeDoubleLE(logTerm, from + 20);
  out.writeDoubleLE(commit, from + 28);
  out.writeDoubleLE(number, from + 36);
  let at = from + headBytes;
  if (hint !== undefined) {
    out.writeDoubleLE(hint.index, at);
    out.writeDoubleLE(hint.term, at + 8);
  }
  for (const entry of entries ?? []) at = writeEntry(out, at, entry);
}

function writeEntry(out: Buffer, at: number, { term, payload }: Entry): number {
  const { kind, bytes } = rawOf(payload);
  const { origin = 0, sequence = 0 } = (payload as Proposal | undefined) ?? {};
  out.writeUInt32LE(bytes.length, at);
  out.writeUInt32LE(kind, at + 4);
  out.writeUInt32LE(origin, at + 8);
  out.writeDoubleLE(term, at + 12);
  out.writeDoubleLE(sequence, at + 20);
  out.set(bytes, at + entryHeadBytes);
  return at + entryHeadBytes + bytes.length;
}

const leaderMark: RawEntry = { kind: 0, bytes: new Uint8Array() };
const rawOf = (payload: Payload | undefined): RawEntry =>
  payload === undefined ? leaderMark : (payload as Proposal).raw;

function fieldsOf(message: Message): Fields {
  switch (message.type) {
    case "preVote":
    case "vote": {
      const { lastIndex: index, lastTerm: logTerm, isTransfer: flag } = message;
      return { index, logTerm, flag };
    }
    case "preVoteAnswer":
    case "voteAnswer":
      return {
        flag: message.granted,
        index: message.committed?.index ?? 0,
        logTerm: message.committed?.term ?? 0,
      };
    case "append": {
      const { prevIndex: index, prevTerm: logTerm, commit, entries, isNews: flag } = message;
      return { index, logTerm, commit, entries, flag };
    }
    case "appendAnswer": {
      const { index, rejected: flag, hintIndex, hintTerm } = message;
      return { index, flag, hint: { index: hintIndex, term: hintTerm } };
    }
    case "heartbeat":
    case "heartbeatAnswer":
      return { number: message.beat, commit: message.commit };
    case "propose": {
      const { session: index, number, payloads } = message;
      return { index, number, entries: payloads.map((payload) => ({ term: 0, payload })) };
    }
    case "readIndex":
    case "readIndexAnswer":
      return { number: message.read, index: message.index };
    default:
      return {};
  }
}

export interface Parties {
  readonly from: MemberId;
  readonly to: MemberId;
}

export type ToPayload = (
  raw: RawEntry,
  name: { readonly origin: number; readonly sequence: number },
) => Payload;

/** Cuts a stream into messages, however it was cut on the way. */
export class MessageReader {
  readonly #parties: Parties;
  readonly #toPayload: ToPayload;
  #parts: Buffer[] = [];
  #heldBytes = 0;
  /** How much has to be there before anything can be read. */
  #neededBytes = lengthBytes;

  constructor(parties: Parties, toPayload: ToPayload) {
    this.#parties = parties;
    this.#toPayload = toPayload;
  }

  push(chunk: Buffer): Message[] {
    this.#parts.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return [];
    const data = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    const messages: Message[] = [];
    let at = 0;
    this.#neededBytes = lengthBytes;
    while (data.length - at >= lengthBytes) {
      const size = data.readUInt32LE(at);
      if (size < headBytes || size > frameMaxBytes) throw new Error(`a frame of ${size} bytes`);
      if (data.length - at < lengthBytes + size) {
        this.#neededBytes = lengthBytes + size;
        break;
      }
      at += lengthBytes;
      const message = this.#read(data.subarray(at, at + size));
      if (message !== undefined) messages.push(message);
      at += size;
    }
    this.#parts = at === data.length ? [] : [data.subarray(at)];
    this.#heldBytes = data.length - at;
    return messages;
  }

  /** Undefined for a type that a newer member may have. */
  #read(frame: Buffer): Message | undefined {
    const type = types[frame[0]!];
    const envelope = { ...this.#parties, term: frame.readDoubleLE(4) };
    const flag = frame[1] === 1;
    const index = frame.readDoubleLE(12);
    const logTerm = frame.readDoubleLE(20);
    const commit = frame.readDoubleLE(28);
    const number = frame.readDoubleLE(36);
    switch (type) {
      case "preVote":
      case "vote":
        return { ...envelope, type, lastIndex: index, lastTerm: logTerm, isTransfer: flag };
      case "preVoteAnswer":
      case "voteAnswer":
        return { ...envelope, type, granted: flag, committed: { index, term: logTerm } };
      case "append": {
        const entries = this.#entries(frame, index + 1);
        return {
          ...envelope,
          type,
          prevIndex: index,
          prevTerm: logTerm,
          commit,
          entries,
          isNews: flag,
        };
      }
      case "appendAnswer": {
        const [hintIndex, hintTerm] = [frame.readDoubleLE(44), frame.readDoubleLE(52)];
        return { ...envelope, type, index, rejected: flag, hintIndex, hintTerm };
      }
      case "heartbeat":
      case "heartbeatAnswer":
        return { ...envelope, type, beat: number, commit };
      case "propose": {
        const payloads = this.#entries(frame, 0).map(({ payload }) => payload!);
        return { ...envelope, type, payloads, session: index, number };
      }
      case "readIndex":
      case "readIndexAnswer":
        return { ...envelope, type, read: number, index };
      case "timeoutNow":
        return { ...envelope, type };
      default:
        return undefined;
    }
  }

  #entries(frame: Buffer, firstIndex: number): LogEntry[] {
    const entries: LogEntry[] = [];
    for (let at = headBytes; at < frame.length; ) {
      const end = at + entryHeadBytes + frame.readUInt32LE(at);
      const kind = frame.readUInt32LE(at + 4);
      const term = frame.readDoubleLE(at + 12);
      const index = firstIndex + entries.length;
      if (kind === 0) entries.push({ index, term, payload: undefined });
      else {
        // A copy: a view would keep the network's whole chunk in memory.
        const raw = { kind, bytes: Buffer.from(frame.subarray(at + entryHeadBytes, end)) };
        const name = { origin: frame.readUInt32LE(at + 8), sequence: frame.readDoubleLE(at + 20) };
        entries.push({ index, term, payload: this.#toPayload(raw, name) });
      }
      at = end;
    }
    return entries;
  }
}
