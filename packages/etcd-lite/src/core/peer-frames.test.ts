/** Messages between members survive the wire, however TCP cuts it. */
import { expect, test } from "vitest";
import { encodeMessages, MessageReader } from "./peer-frames.ts";
import type { Message } from "./raft/message.ts";

const envelope = { from: 1n, to: 2n, term: 7 };
const payload = (text: string, sequence: number) => ({
  raw: { kind: 3, bytes: Buffer.from(text) },
  origin: 0xfedcba98,
  sequence,
  sizeBytes: text.length,
});
const messages: readonly Message[] = [
  { ...envelope, type: "preVote", lastIndex: 5, lastTerm: 6, isTransfer: true },
  { ...envelope, type: "voteAnswer", granted: false, committed: { index: 2 ** 40, term: 3 } },
  {
    ...envelope,
    type: "append",
    prevIndex: 9,
    prevTerm: 6,
    commit: 8,
    isNews: false,
    entries: [
      { index: 10, term: 6, payload: payload("a".repeat(70_000), 2 ** 41) },
      { index: 11, term: 7, payload: undefined },
      { index: 12, term: 7, payload: payload("", 2) },
    ],
  },
  { ...envelope, type: "append", prevIndex: 9, prevTerm: 6, commit: 8, isNews: true, entries: [] },
  { ...envelope, type: "appendAnswer", index: 4, rejected: true, hintIndex: 3, hintTerm: 2 },
  { ...envelope, type: "heartbeat", beat: 12, commit: 3 },
  { ...envelope, type: "timeoutNow" },
  { ...envelope, type: "propose", session: 5, number: 6, payloads: [payload("x", 1)] },
  { ...envelope, type: "readIndexAnswer", read: 4_503_599_627_370_497, index: 12 },
];

const newReader = () =>
  new MessageReader({ from: 1n, to: 2n }, (raw, name) => ({
    raw,
    ...name,
    sizeBytes: raw.bytes.length,
  }));

test.each([1, 7, 65_536, Number.POSITIVE_INFINITY])("read back in pieces of %d bytes", (size) => {
  const bytes = Buffer.concat(encodeMessages(messages));
  const reader = newReader();
  const found: Message[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    found.push(...reader.push(bytes.subarray(at, at + size)));
  }
  expect(found).toEqual(messages);
});

test("a frame that cannot be one ends the stream", () => {
  expect(() => newReader().push(Buffer.alloc(64, 0xff))).toThrow("a frame of 4294967295 bytes");
  expect(() => newReader().push(Buffer.alloc(64))).toThrow("a frame of 0 bytes");
});
