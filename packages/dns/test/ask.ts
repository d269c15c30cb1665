/**
 * A DNS client for tests, and answers as text: one line a record, so that tables and other servers
 * can be compared.
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { decodeAnswer, readName } from "../src/core/decode.ts";
import { rcodes, types } from "../src/core/message.ts";
import { questionBytes } from "../src/core/question.ts";

export const typeName = (type: number) =>
  Object.entries(types).find(([, n]) => n === type)?.[0] ?? String(type);

/** "A web.shop.svc.cluster.local"; with `bare` no EDNS. */
export function question(
  text: string,
  o: { id?: number; bare?: boolean; size?: number } = {},
): Uint8Array {
  const [type = "A", name = ""] = text.split(" ");
  const number = types[type as keyof typeof types] ?? Number(type);
  let bytes = questionBytes(name.replace(/\.$/, ""), number);
  if (o.size !== undefined) new DataView(bytes.buffer).setUint16(bytes.length - 8, o.size);
  if (o.bare) {
    bytes = bytes.slice(0, -11);
    bytes[11] = 0;
  }
  const id = o.id ?? 4711;
  bytes[0] = id >> 8;
  bytes[1] = id & 255;
  return bytes;
}

export function send(
  port: number,
  message: Uint8Array,
  waitMs = 3000,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    const finish = (answer: Uint8Array | undefined) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), waitMs);
    socket.on("message", (answer) => finish(answer));
    socket.on("error", reject);
    socket.send(message, port, "127.0.0.1");
  });
}

/** Several messages on one connection, sent without waiting; answers as they come. */
export function sendTCP(port: number, messages: readonly Uint8Array[]): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const answers: Uint8Array[] = [];
    let pending = Buffer.alloc(0);
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= pending.readUInt16BE() + 2) {
        const length = pending.readUInt16BE();
        answers.push(pending.subarray(2, 2 + length));
        pending = pending.subarray(2 + length);
      }
      if (answers.length === messages.length) {
        socket.destroy();
        resolve(answers);
      }
    });
    for (const message of messages) {
      socket.write(Buffer.from([message.length >> 8, message.length & 255]));
      socket.write(message);
    }
  });
}

export interface Shown {
  status: string;
  flags: string;
  answer: string[];
  authority: string[];
  additional: string[];
}

/** Records sorted within their section; the SOA's serial is left out, it is a time. */
export function show(bytes: Uint8Array): Shown {
  const message = decodeAnswer(bytes);
  const flags = [
    bytes[2]! & 4 ? "aa" : "",
    bytes[2]! & 2 ? "tc" : "",
    bytes[3]! & 0x80 ? "ra" : "",
  ];
  const section = (wanted: string) =>
    message.records
      .filter((r) => r.section === wanted && r.type !== types.OPT)
      .map((r) => `${r.labels.join(".")}. ${r.ttl} ${typeName(r.type)} ${data(bytes, r)}`)
      .sort();
  return {
    status:
      Object.entries(rcodes).find(([, n]) => n === message.rcode)?.[0] ?? String(message.rcode),
    flags: flags.filter(Boolean).join(" "),
    answer: section("answer"),
    authority: section("authority"),
    additional: section("additional"),
  };
}

function data(bytes: Uint8Array, r: { type: number; dataAt: number; dataLength: number }): string {
  const name = (at: number) => `${readName(bytes, at).labels.join(".")}.`;
  const word = (at: number) => (bytes[at]! << 8) | bytes[at + 1]!;
  const { dataAt: at } = r;
  switch (r.type) {
    case types.A:
      return bytes.subarray(at, at + 4).join(".");
    case types.AAAA:
      return Array.from({ length: 8 }, (_, i) => word(at + 2 * i).toString(16)).join(":");
    case types.SRV:
      return `${word(at)} ${word(at + 2)} ${word(at + 4)} ${name(at + 6)}`;
    case types.SOA: {
      const primary = readName(bytes, at);
      const mailbox = readName(bytes, primary.next);
      const numbers = [1, 2, 3, 4].map((i) => {
        const number = mailbox.next + 4 * i;
        return word(number) * 65536 + word(number + 2);
      });
      return `${primary.labels.join(".")}. ${mailbox.labels.join(".")}. ${numbers.join(" ")}`;
    }
    case types.TXT:
      return JSON.stringify(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + bytes[at]!)));
    default:
      return name(at);
  }
}
