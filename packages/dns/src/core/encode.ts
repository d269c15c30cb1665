/**
 * Writes answers, with names compressed, and cut to what the client can take.
 *
 * Too long: records are left out from the end, the additional ones first and without a word, then
 * authority and answers with the TC bit, which sends the client to TCP.
 *
 * Source  RFC 1035 sections 4.1.1 and 4.1.4, RFC 6891; github.com/miekg/dns msg_truncate.go
 */
import { ipBytes } from "./address.ts";
import { lower } from "./decode.ts";
import { type DNSRecord, type Query, type Response, types } from "./message.ts";

const headerBytes = 12;
/** Pointers have 14 bits. */
const pointerLimit = 0x4000;

class Writer {
  bytes = new Uint8Array(512);
  length = 0;
  readonly #names = new Map<string, number>();

  byte(value: number): void {
    if (this.length === this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length++] = value;
  }

  word(value: number): void {
    this.byte((value >> 8) & 255);
    this.byte(value & 255);
  }

  long(value: number): void {
    this.word(Math.floor(value / 65536) & 0xffff);
    this.word(value & 0xffff);
  }

  raw(bytes: Uint8Array): void {
    for (const byte of bytes) this.byte(byte);
  }

  setWord(at: number, value: number): void {
    this.bytes[at] = (value >> 8) & 255;
    this.bytes[at + 1] = value & 255;
  }

  /** A name that stands in the message already, from `labels` on: later ones point there. */
  remember(labels: readonly string[], at: number): void {
    let offset = at;
    for (const [i, label] of labels.entries()) {
      const key = lower(labels.slice(i).join("."));
      if (!this.#names.has(key) && offset < pointerLimit) this.#names.set(key, offset);
      offset += label.length + 1;
    }
  }

  name(name: string, compress = true): void {
    const labels = name === "" ? [] : name.split(".");
    for (const [i, label] of labels.entries()) {
      const key = lower(labels.slice(i).join("."));
      const known = this.#names.get(key);
      if (compress && known !== undefined) {
        this.word(0xc000 | known);
        return;
      }
      if (known === undefined && this.length < pointerLimit) this.#names.set(key, this.length);
      this.byte(label.length);
      for (let at = 0; at < label.length; at++) this.byte(label.charCodeAt(at));
    }
    this.byte(0);
  }
}

/** Names the wire cannot carry; such records are left out by who makes them. */
export function isValidName(name: string): boolean {
  const labels = name.split(".");
  return name.length <= 253 && labels.every((label) => label.length > 0 && label.length < 64);
}

function writeRecord(writer: Writer, record: DNSRecord): void {
  writer.name(record.name);
  writer.word(record.type === "raw" ? record.typeNumber : types[record.type]);
  writer.word(1);
  writer.long(record.ttl);
  const lengthAt = writer.length;
  writer.word(0);
  writeData(writer, record);
  writer.setWord(lengthAt, writer.length - lengthAt - 2);
}

function writeData(writer: Writer, record: DNSRecord): void {
  switch (record.type) {
    case "A":
    case "AAAA":
      writer.raw(ipBytes(record.address));
      return;
    case "CNAME":
    case "PTR":
    case "NS":
      writer.name(record.target);
      return;
    case "SRV":
      writer.word(record.priority);
      writer.word(record.weight);
      writer.word(record.port);
      writer.name(record.target, false); // RFC 2782: not to be compressed
      return;
    case "TXT":
      for (const text of record.texts) {
        writer.byte(text.length);
        for (let i = 0; i < text.length; i++) writer.byte(text.charCodeAt(i));
      }
      return;
    case "SOA":
      writer.name(record.primary);
      writer.name(record.mailbox);
      for (const key of ["serial", "refresh", "retry", "expire", "minimum"] as const) {
        writer.long(record[key]);
      }
      return;
    case "raw":
      writer.raw(record.data);
  }
}

function writeHeader(writer: Writer, query: Query, response: Response): void {
  const bit = (on: boolean | undefined, value: number) => (on === true ? value : 0);
  writer.word(query.id);
  writer.word(
    0x8000 |
      (query.opcode << 11) |
      bit(response.authoritative, 0x0400) |
      bit(response.truncated, 0x0200) |
      bit(query.recursionDesired, 0x0100) |
      bit(response.recursionAvailable, 0x0080) |
      bit(query.checkingDisabled, 0x0010) |
      (response.rcode & 15),
  );
  for (let i = 0; i < 4; i++) writer.word(0);
}

const optBytes = 11;

function writeOpt(writer: Writer, query: Query, response: Response): void {
  writer.byte(0);
  writer.word(types.OPT);
  writer.word(query.edns?.udpSize ?? 512);
  writer.byte(response.rcode >> 4);
  writer.byte(0);
  writer.word(query.edns?.dnssecOK ? 0x8000 : 0);
  writer.word(0);
}

/** What a UDP client takes: 512 bytes, or what it says in EDNS. */
export const udpLimit = (query: Query): number => Math.max(512, query.edns?.udpSize ?? 512);
export const tcpLimit = 65_535;

export function encodeResponse(query: Query, response: Response, limit: number): Uint8Array {
  const writer = new Writer();
  writeHeader(writer, query, response);
  writer.raw(query.questionBytes);
  writer.setWord(4, 1);
  writer.remember(query.question.labels, headerBytes);
  const room = limit - (query.edns === undefined ? 0 : optBytes);
  let full = false;
  let truncated = response.truncated === true;
  const put = (records: readonly DNSRecord[], countAt: number, matters: boolean) => {
    let count = 0;
    for (const record of full ? [] : records) {
      const before = writer.length;
      writeRecord(writer, record);
      if (writer.length > room) {
        writer.length = before;
        full = true;
        break;
      }
      count++;
    }
    if (count < records.length && matters) truncated = true;
    writer.setWord(countAt, count);
    return count;
  };
  put(response.answers, 6, true);
  put(response.authority, 8, true);
  const additional = put(response.additional, 10, false);
  if (query.edns !== undefined) {
    writeOpt(writer, query, response);
    writer.setWord(10, additional + 1);
  }
  if (truncated) writer.bytes[2]! |= 0x02;
  return writer.bytes.slice(0, writer.length);
}

/** An answer to what could not be read as a query: a header and nothing else. */
export function encodeRefusal(reply: { id: number; opcode: number; rcode: number }): Uint8Array {
  const writer = new Writer();
  writer.word(reply.id);
  writer.word(0x8000 | (reply.opcode << 11) | (reply.rcode & 15));
  for (let i = 0; i < 4; i++) writer.word(0);
  return writer.bytes.slice(0, headerBytes);
}
