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

/** The bytes, in pieces that follow each other: what is large is not copied. */
export function encodeMessages(messages: readonly Message[]): Uint8Array[] {
  const fields = messages.map(fieldsOf);
  const copied = fields.reduce((sum, field) => sum + sizeOf(field, copiedOf), 0);
  const pieces = new Pieces(copied);
  for (const [i, message] of messages.entries()) {
    const { out, at } = pieces;
    out.writeUInt32LE(sizeOf(fields[i]!, lengthOf) - lengthBytes, at);
    pieces.at += lengthBytes;
    writeBody(pieces, message, fields[i]!);
  }
  return pieces.all();
}

/** From here on a copy costs more than a piece. */
const largeBytes = 8 * 1024;
const lengthOf = ({ length }: Uint8Array) => length;
const copiedOf = ({ length }: Uint8Array) => (length < largeBytes ? length : 0);

function sizeOf({ hint, entries }: Fields, count: (bytes: Uint8Array) => number): number {
  let size = lengthBytes + headBytes + (hint === undefined ? 0 : 16);
  for (const { payload } of entries ?? []) size += entryHeadBytes + count(rawOf(payload).bytes);
  return size;
}

class Pieces {
  readonly out: Buffer;
  at = 0;
  #from = 0;
  readonly #pieces: Uint8Array[] = [];

  constructor(sizeBytes: number) {
    this.out = Buffer.allocUnsafe(sizeBytes);
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length < largeBytes) {
      this.out.set(bytes, this.at);
      this.at += bytes.length;
      return;
    }
    this.#cut();
    this.#pieces.push(bytes);
  }

  #cut(): void {
    if (this.at > this.#from) this.#pieces.push(this.out.subarray(this.#from, this.at));
    this.#from = this.at;
  }

  all(): Uint8Array[] {
    this.#cut();
    return this.#pieces;
  }
}

function writeBody(pieces: Pieces, message: Message, fields: Fields): void {
  const { out, at: from } = pieces;
  const { flag = false, index = 0, logTerm = 0, commit = 0, number = 0, hint, entries } = fields;
  out[from] = types.indexOf(message.type);
  out[from + 1] = flag ? 1 : 0;
  out.writeUInt16LE(0, from + 2);
  out.writeDoubleLE(message.term, from + 4);
  out.writeDoubleLE(index, from + 12);
  out.writeDoubleLE(logTerm, from + 20);
  out.writeDoubleLE(commit, from + 28);
  out.writeDoubleLE(number, from + 36);
  pieces.at += headBytes;
  if (hint !== undefined) {
    out.writeDoubleLE(hint.index, pieces.at);
    out.writeDoubleLE(hint.term, pieces.at + 8);
    pieces.at += 16;
  }
  for (const entry of entries ?? []) writeEntry(pieces, entry);
}

function writeEntry(pieces: Pieces, { term, payload }: Entry): void {
  const { out, at } = pieces;
  const { kind, bytes } = rawOf(payload);
  const { origin = 0, sequence = 0 } = (payload as Proposal | undefined) ?? {};
  out.writeUInt32LE(bytes.length, at);
  out.writeUInt32LE(kind, at + 4);
  out.writeUInt32LE(origin, at + 8);
  out.writeDoubleLE(term, at + 12);
  out.writeDoubleLE(sequence, at + 20);
  pieces.at += entryHeadBytes;
  pieces.bytes(bytes);
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
  /** What is read is a copy already, all of which entries stand for. */
  #isOwn = false;
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
    this.#isOwn = this.#parts.length > 1;
    const data = this.#isOwn ? Buffer.concat(this.#parts) : chunk;
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
        const view = frame.subarray(at + entryHeadBytes, end);
        const raw = { kind, bytes: this.#isOwn ? view : Buffer.from(view) };
        const name = { origin: frame.readUInt32LE(at + 8), sequence: frame.readDoubleLE(at + 20) };
        entries.push({ index, term, payload: this.#toPayload(raw, name) });
      }
      at = end;
    }
    return entries;
  }
}
