/**
 * Binary documents whose grammar is odd: fields and wire types at random, lengths that lie, tags
 * and containers that never end.
 *
 * Source  protobuf's encoding; RFC 8949
 */
import type { Numbers } from "./rubbish.ts";

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const noise = (count: number, next: Numbers): Buffer =>
  Buffer.from(Array.from({ length: count }, () => next(256)));

/** Fields behind each other; some hold fields themselves. */
function fields(depth: number, next: Numbers): Buffer {
  const parts: Buffer[] = [];
  for (let i = next(6); i >= 0; i--) {
    const wireType = next(8);
    parts.push(varint(next(30) * 8 + wireType));
    if (wireType === 0) parts.push(noise(next(12), next));
    if (wireType === 1) parts.push(noise(8, next));
    if (wireType === 5) parts.push(noise(4, next));
    if (wireType !== 2) continue;
    const inner = depth > 0 ? fields(depth - 1, next) : noise(next(20), next);
    const lie = next(5) === 0 ? next(2 ** 31) : inner.length;
    parts.push(varint(lie), inner);
  }
  return Buffer.concat(parts);
}

/** A message in a message in a message …, each in its own field 1. */
function nested(depth: number): Buffer {
  let inner = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) {
    inner = Buffer.concat([Buffer.from([0x0a]), varint(inner.length), inner]);
  }
  return inner;
}

/** Kubernetes' envelope is "k8s\0", then a message of its own: type 1, raw 2, encoding 3 and 4. */
function protobuf(right: Buffer, next: Numbers): Buffer {
  const magic = right.subarray(0, 4);
  const how = next(4);
  if (how === 0) return Buffer.concat([magic, fields(6, next)]);
  if (how === 1) return Buffer.concat([magic, nested(1 + next(3000))]);
  if (how === 2) return Buffer.concat([right, fields(3, next)]);
  const kind = Buffer.from("0a090a02763112 03506f64".replace(" ", ""), "hex");
  const raw = fields(5, next);
  return Buffer.concat([magic, kind, Buffer.from([0x12]), varint(raw.length), raw]);
}

/** Items of every major type; lengths of up to eight bytes, tags in tags. */
function cborItem(depth: number, next: Numbers): Buffer {
  const major = next(8);
  const info = pickInfo(next);
  const head = Buffer.concat([Buffer.from([major * 32 + info]), noise(lengthBytes(info), next)]);
  if (depth === 0 || major < 2 || major === 7) return head;
  if (major < 4) return Buffer.concat([head, noise(next(30), next)]);
  const count = major === 6 ? 1 : next(5);
  const items = Array.from({ length: count }, () => cborItem(depth - 1, next));
  return Buffer.concat([head, ...items]);
}

/** Small lengths mostly, else one of 1, 2, 4, 8 bytes, reserved, or without end. */
function pickInfo(next: Numbers): number {
  return next(3) > 0 ? next(6) : 24 + next(8);
}

function lengthBytes(info: number): number {
  return info < 24 || info > 27 ? 0 : 2 ** (info - 24);
}

function cbor(next: Numbers): Buffer {
  const tag = Buffer.from("d9d9f7", "hex");
  const how = next(3);
  if (how === 0) return Buffer.concat([tag, cborItem(6, next)]);
  if (how === 1) return Buffer.concat(Array.from({ length: next(2000) }, () => tag));
  return Buffer.concat([tag, Buffer.alloc(next(5000), pickContainer(next))]);
}

/** An array or map that is opened, by one item or without end. */
function pickContainer(next: Numbers): number {
  return [0x81, 0x9f, 0xa1, 0xbf, 0x5f, 0xc0][next(6)]!;
}

export const oddBinary = { protobuf, cbor };
