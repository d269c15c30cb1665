import { expect, test } from "vitest";
import { Outbox } from "./http2-outbox.ts";

const headBytes = 9;

/** A body that tells its number in every byte. */
const body = (number: number, length: number): Uint8Array => new Uint8Array(length).fill(number);

function send(outbox: Outbox, bytes: Uint8Array): void {
  outbox.data(1, bytes, { from: 0, to: bytes.length, end: false });
}

test("what was taken stays as it is until the socket is at rest", () => {
  const outbox = new Outbox();
  let seed = 1;
  const next = (below: number): number => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % below;
  };
  /** What a slow socket holds: the pieces, and how they looked when they were taken. */
  let inFlight: { pieces: Buffer[]; copy: Buffer }[] = [];
  for (let turn = 0; turn < 20_000; turn++) {
    const sent: Uint8Array[] = [];
    for (let i = next(6); i >= 0; i--) {
      const bytes = body(next(256), next(3000));
      sent.push(bytes);
      send(outbox, bytes);
    }
    for (const { pieces, copy } of inFlight) expect(Buffer.concat(pieces).equals(copy)).toBe(true);
    const isAtRest = next(3) > 0;
    if (isAtRest) inFlight = [];
    const pieces = outbox.take(isAtRest);
    const copy = Buffer.concat(pieces);
    const wanted = sent.reduce((sum, { length }) => sum + headBytes + length, 0);
    expect(copy.length).toBe(wanted);
    let at = 0;
    for (const bytes of sent) {
      at += headBytes;
      expect(copy.subarray(at, at + bytes.length).equals(bytes)).toBe(true);
      at += bytes.length;
    }
    inFlight.push({ pieces, copy });
  }
});

test("a socket that keeps up is served from one slab", () => {
  const outbox = new Outbox();
  const slabs = new Set<ArrayBufferLike>();
  for (let i = 0; i < 1000; i++) {
    send(outbox, body(i % 256, 2600));
    for (const piece of outbox.take(true)) slabs.add(piece.buffer);
  }
  // The first ones grow.
  expect(slabs.size).toBeLessThan(10);
});

test("a part of a body is sent as that part", () => {
  const outbox = new Outbox();
  outbox.data(1, Uint8Array.of(1, 2, 3, 4, 5), { from: 1, to: 4, end: true });
  expect([...outbox.take()[0]!]).toEqual([0, 0, 3, 0, 1, 0, 0, 0, 1, 2, 3, 4]);
});
