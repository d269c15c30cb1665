/** Messages as gRPC frames them, and messages with one thing wrong, for what is sent on purpose. */

/** Behind its length, not compressed. */
export function framed(payload: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** The same bytes with one thing wrong: a bit, a byte, an end cut off or put on. */
export function breakOne(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.4) bytes[at]! ^= 1 << Math.floor(random() * 8);
  else if (kind < 0.7) return bytes.subarray(0, at);
  else if (kind < 0.9) bytes[at] = Math.floor(random() * 256);
  else return Buffer.concat([bytes, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])]);
  return bytes;
}
