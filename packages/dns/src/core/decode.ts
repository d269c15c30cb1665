/**
 * Reads queries, and of other servers' answers as much as passing them on takes.
 *
 * Errors  MalformedQuery with FORMERR (not one question, cut off, a name that never ends) or NOTIMP
 *         (another opcode than QUERY); silence for what is shorter than a header, or an answer
 *         itself: replying to answers could go round for ever
 * Source  RFC 1035 section 4; which counts are accepted: github.com/miekg/dns acceptfunc.go, which
 *         CoreDNS uses
 */
import {
  type DNSRecord,
  type Edns,
  MalformedQuery,
  opcodeQuery,
  type Query,
  rcodes,
  types,
} from "./message.ts";

const headerBytes = 12;

export function decodeQuery(bytes: Uint8Array): Query {
  if (bytes.length < headerBytes) throw new MalformedQuery("shorter than a header");
  const id = word(bytes, 0);
  const flags = word(bytes, 2);
  if ((flags & 0x8000) !== 0) throw new MalformedQuery("an answer");
  const opcode = (flags >> 11) & 15;
  if (opcode !== opcodeQuery) {
    throw new MalformedQuery("not a query", { id, opcode, rcode: rcodes.NOTIMP });
  }
  const malformed = (why: string) => new MalformedQuery(why, { id, opcode, rcode: rcodes.FORMERR });
  const [questions, answers, authority, additional] = [4, 6, 8, 10].map((at) => word(bytes, at));
  if (questions !== 1) throw malformed("not one question");
  if (answers! > 1 || authority! > 1 || additional! > 2) throw malformed("records in a query");
  try {
    const { labels, next } = readName(bytes, headerBytes);
    const type = word(bytes, next);
    const questionClass = word(bytes, next + 2);
    const end = next + 4;
    return {
      id,
      opcode,
      recursionDesired: (flags & 0x0100) !== 0,
      checkingDisabled: (flags & 0x0010) !== 0,
      question: { labels: labels.map(lower), type, class: questionClass },
      edns: readEdns(bytes, end, answers! + authority! + additional!),
      questionBytes: bytes.slice(headerBytes, end),
    };
  } catch (error) {
    if (error instanceof RangeError) throw malformed(error.message);
    throw error;
  }
}

function word(bytes: Uint8Array, at: number): number {
  if (at + 2 > bytes.length) throw new RangeError("cut off");
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function long(bytes: Uint8Array, at: number): number {
  return word(bytes, at) * 65536 + word(bytes, at + 2);
}

/** Letters only: DNS knows no other case. */
export const lower = (label: string): string =>
  label.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

interface Name {
  labels: string[];
  /** Where reading goes on. */
  next: number;
}

export function readName(bytes: Uint8Array, start: number): Name {
  const labels: string[] = [];
  let at = start;
  let next: number | undefined;
  let total = 0;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new RangeError("a name is cut off");
    if (length === 0) return { labels, next: next ?? at + 1 };
    if ((length & 0xc0) === 0xc0) {
      const target = word(bytes, at) & 0x3fff;
      // Only backwards: a pointer to itself or ahead could go round for ever.
      if (target >= at) throw new RangeError("a compressed name points ahead");
      next ??= at + 2;
      at = target;
      continue;
    }
    if ((length & 0xc0) !== 0) throw new RangeError("a label of an unknown kind");
    if (at + 1 + length > bytes.length) throw new RangeError("a label is cut off");
    total += length + 1;
    if (total > 254) throw new RangeError("a name is longer than 255 bytes");
    labels.push(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
}

function readEdns(bytes: Uint8Array, start: number, count: number): Edns | undefined {
  let at = start;
  let found: Edns | undefined;
  for (let i = 0; i < count; i++) {
    const { labels, next } = readName(bytes, at);
    const type = word(bytes, next);
    if (type === types.OPT && labels.length === 0 && found === undefined) {
      const flags = word(bytes, next + 6);
      found = {
        udpSize: word(bytes, next + 2),
        version: bytes[next + 5]!,
        dnssecOK: (flags & 0x8000) !== 0,
      };
    }
    at = next + 10 + word(bytes, next + 8);
    if (at > bytes.length) throw new RangeError("a record is cut off");
  }
  return found;
}

export interface ForeignRecord {
  section: "answer" | "authority" | "additional";
  labels: string[];
  type: number;
  ttl: number;
  /** Where its TTL stands in the message. */
  ttlAt: number;
  dataAt: number;
  dataLength: number;
}

export interface ForeignMessage {
  id: number;
  rcode: number;
  truncated: boolean;
  /** Lower case. */
  labels: string[];
  type: number;
  questionEnd: number;
  records: ForeignRecord[];
}

/** Another server's answer. Throws RangeError when it is none. */
export function decodeAnswer(bytes: Uint8Array): ForeignMessage {
  if (bytes.length < headerBytes) throw new RangeError("shorter than a header");
  const flags = word(bytes, 2);
  if ((flags & 0x8000) === 0 || word(bytes, 4) !== 1) throw new RangeError("not an answer");
  const { labels, next } = readName(bytes, headerBytes);
  const records: ForeignRecord[] = [];
  let at = next + 4;
  for (const [section, countAt] of [
    ["answer", 6],
    ["authority", 8],
    ["additional", 10],
  ] as const) {
    for (let i = word(bytes, countAt); i > 0; i--) {
      const name = readName(bytes, at);
      const type = word(bytes, name.next);
      const ttl = long(bytes, name.next + 4);
      const dataLength = word(bytes, name.next + 8);
      const dataAt = name.next + 10;
      if (dataAt + dataLength > bytes.length) throw new RangeError("a record is cut off");
      const ttlAt = name.next + 4;
      records.push({ section, labels: name.labels, type, ttl, ttlAt, dataAt, dataLength });
      at = dataAt + dataLength;
    }
  }
  return {
    id: word(bytes, 0),
    rcode: flags & 15,
    truncated: (flags & 0x0200) !== 0,
    labels: labels.map(lower),
    type: word(bytes, next),
    questionEnd: next + 4,
    records,
  };
}

/** The addresses and aliases of another server's answer, to stand behind a CNAME of ours. */
export function takeAnswers(bytes: Uint8Array): DNSRecord[] {
  const { records } = decodeAnswer(bytes);
  return records.flatMap((record): DNSRecord[] => {
    if (record.section !== "answer") return [];
    const head = { name: record.labels.join("."), ttl: record.ttl };
    if (record.type === types.CNAME) {
      const target = readName(bytes, record.dataAt).labels.join(".");
      return [{ ...head, type: "CNAME", target }];
    }
    if (record.type !== types.A && record.type !== types.AAAA) return [];
    const data = bytes.slice(record.dataAt, record.dataAt + record.dataLength);
    return [{ ...head, type: "raw", typeNumber: record.type, data }];
  });
}
