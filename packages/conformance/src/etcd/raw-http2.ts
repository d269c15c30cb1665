/**
 * HTTP/2 by hand: frames as somebody sends them who does not keep to the rules.
 *
 * Source  RFC 9113, RFC 7541 section 6.2.2 (header fields that are not indexed)
 */
import { connect } from "node:net";

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export interface RawFrame {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Buffer;
  /** When it is not the payload's. */
  readonly length?: number;
}

export function rawFrame({ type, flags = 0, stream = 0, payload, length }: RawFrame): Buffer {
  const body = payload ?? Buffer.alloc(0);
  const head = Buffer.alloc(9);
  head.writeUIntBE(length ?? body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export const settingsFrame = rawFrame({ type: 4 });

/** A block of literals, none of them indexed. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  );
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const length: number[] = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let rest = bytes.length - 127;
    for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export const callHeaders = (path: string, ...more: (readonly [string, string])[]) =>
  headerBlock([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "etcd"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...more,
  ]);

/** Everything that came back. */
export interface Heard {
  readonly frames: readonly { type: number; flags: number; stream: number; payload: Buffer }[];
  readonly isClosed: boolean;
}

/** Says `bytes`, and listens until the other side hangs up or `until` has heard enough. */
export function sayRaw(
  endpoint: string,
  bytes: Buffer,
  until: (heard: Heard["frames"]) => boolean,
): Promise<Heard> {
  const [host, port] = endpoint.split(":");
  return new Promise((resolve) => {
    const socket = connect({ host: host!, port: Number(port) });
    let received = Buffer.alloc(0);
    const finish = (isClosed: boolean) => {
      socket.destroy();
      resolve({ frames: framesOf(received), isClosed });
    };
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (until(framesOf(received))) finish(false);
    });
    socket.on("error", () => {});
    socket.on("close", () => finish(true));
  });
}

function framesOf(bytes: Buffer): Heard["frames"] {
  const frames: { type: number; flags: number; stream: number; payload: Buffer }[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const stream = bytes.readUInt32BE(at + 5);
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      stream,
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}
