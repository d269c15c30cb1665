/**
 * HTTP/2 frames out of a byte stream that is cut anywhere.
 *
 * Errors  Http2Fault: a wrong greeting, a frame above 16 KiB, wrong padding
 * Source  RFC 9113 sections 3.4, 4.1, 6.1
 */
import {
  defaultFrameMax,
  flag,
  frameHeaderBytes,
  Http2Fault,
  http2Error,
  preface,
  setting,
  windowMax,
} from "./http2-codes.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** The payload is bytes[from, to). */
  readonly bytes: Buffer;
  from: number;
  to: number;
}

const prefaceBytes = Buffer.from(preface, "latin1");
const nothing = Buffer.alloc(0);

export class FrameReader {
  #bytes: Buffer = nothing;
  #at = 0;
  #isGreeted: boolean;

  /** `isGreeted`: the peer is a server, which sends no preface. */
  constructor(isGreeted: boolean) {
    this.#isGreeted = isGreeted;
  }

  push(chunk: Buffer): void {
    const isEmpty = this.#at === this.#bytes.length;
    this.#bytes = isEmpty ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** Undefined: the rest has not come yet. */
  next(): Frame | undefined {
    const bytes = this.#bytes;
    if (!this.#isGreeted && !this.#greet()) return undefined;
    const at = this.#at;
    if (bytes.length - at < frameHeaderBytes) return undefined;
    const size = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (size > defaultFrameMax) throw new Http2Fault(http2Error.frameSize, "frame too large");
    const from = at + frameHeaderBytes;
    if (from + size > bytes.length) return undefined;
    this.#at = from + size;
    const id = (bytes[at + 5]! << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8);
    const streamId = (id | bytes[at + 8]!) & windowMax;
    return { type: bytes[at + 3]!, flags: bytes[at + 4]!, streamId, bytes, from, to: from + size };
  }

  /** Every client opens with the same 24 bytes. */
  #greet(): boolean {
    const size = Math.min(this.#bytes.length, prefaceBytes.length);
    if (this.#bytes.compare(prefaceBytes, 0, size, 0, size) !== 0) throw fault("bogus greeting");
    if (size < prefaceBytes.length) return false;
    this.#at = size;
    this.#isGreeted = true;
    return true;
  }
}

export function fault(text: string): Http2Fault {
  return new Http2Fault(http2Error.protocol, text);
}

/** Frames about the connection itself stand on stream 0. */
export function checkControl({ streamId }: Frame, isRightSize: boolean): void {
  if (streamId !== 0) throw fault("a frame of the connection on a stream");
  if (!isRightSize) throw new Http2Fault(http2Error.frameSize, "a frame of wrong size");
}

export function checkSetting(id: number, value: number): void {
  if (id === setting.enablePush && value > 1) throw fault("ENABLE_PUSH is neither 0 nor 1");
  // We never send larger frames than everybody must take.
  const isFrameMax = id === setting.maxFrameSize;
  if (isFrameMax && (value < defaultFrameMax || value > 2 ** 24 - 1)) {
    throw fault("MAX_FRAME_SIZE is wrong");
  }
  if (id === setting.initialWindowSize && value > windowMax) {
    throw new Http2Fault(http2Error.flowControl, "INITIAL_WINDOW_SIZE is too large");
  }
}

export function unpad(frame: Frame): void {
  if ((frame.flags & flag.padded) === 0) return;
  if (frame.to === frame.from) throw new Http2Fault(http2Error.frameSize, "no room for padding");
  const padding = frame.bytes[frame.from]!;
  frame.from += 1;
  if (padding > frame.to - frame.from) throw fault("more padding than frame");
  frame.to -= padding;
}
