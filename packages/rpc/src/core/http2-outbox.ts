/**
 * Frames on their way out: written one behind the other into slabs, taken as few large pieces.
 *
 * An answer is three small frames; all answers of a turn of the event loop leave with one write of
 * the socket. What was taken may be in flight for long: its place is written again only when the
 * socket has let go of everything.
 *
 * Source  RFC 9113 section 4.1
 */
import { defaultFrameMax, flag, frameHeaderBytes, frameType } from "./http2-codes.ts";

/** A connection that says little holds little: its slabs grow with what it has to say. */
const slabBytesMin = 2 * 1024;
const slabBytesMax = 64 * 1024;

export class Outbox {
  #slab: Buffer = Buffer.alloc(0);
  #slabBytes = slabBytesMin;
  /** Of the slab: taken up to here, written up to there. */
  #from = 0;
  #at = 0;
  /** Not beyond here: what lies behind it may be in flight. */
  #end = 0;
  #full: Buffer[] = [];
  #controlFrames = 0;
  /** Headers and bodies that ever were written here. */
  answers = 0;

  get isEmpty(): boolean {
    return this.#at === this.#from && this.#full.length === 0;
  }

  /** Answers to PING and SETTINGS that wait: a peer that does not read must not pile them up. */
  get controlFrames(): number {
    return this.#controlFrames;
  }

  /** `isAtRest`: the socket is done with everything that was taken before. */
  take(isAtRest = false): Buffer[] {
    const all = this.#full;
    const from = this.#from;
    if (this.#at > from) all.push(this.#slab.subarray(from, this.#at));
    if (isAtRest) this.#rewind(from);
    this.#from = this.#at;
    this.#full = [];
    this.#controlFrames = 0;
    return all;
  }

  /** In flight is only [from, at): a slab that is half full begins anew, up to there. */
  #rewind(from: number): void {
    const isHalfFull = this.#at * 2 > this.#slab.length;
    this.#end = isHalfFull ? from : this.#slab.length;
    if (isHalfFull) this.#at = 0;
  }

  #reserve(count: number): void {
    if (this.#end - this.#at >= count) return;
    if (this.#at > this.#from) this.#full.push(this.#slab.subarray(this.#from, this.#at));
    this.#slab = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, count));
    this.#slabBytes = Math.min(this.#slabBytes * 2, slabBytesMax);
    this.#from = 0;
    this.#at = 0;
    this.#end = this.#slab.length;
  }

  #head(length: number, type: number, flags: number, streamId: number): void {
    const slab = this.#slab;
    const at = this.#at;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = streamId >>> 24;
    slab[at + 6] = streamId >>> 16;
    slab[at + 7] = streamId >>> 8;
    slab[at + 8] = streamId;
    this.#at = at + frameHeaderBytes;
  }

  #uint32(value: number): void {
    this.#slab.writeUInt32BE(value >>> 0, this.#at);
    this.#at += 4;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A block larger than a frame goes on in CONTINUATION frames. */
  headers(streamId: number, block: Buffer, endStream: boolean): void {
    this.answers++;
    const first = Math.min(block.length, defaultFrameMax);
    let flags = endStream ? flag.endStream : 0;
    if (first === block.length) flags |= flag.endHeaders;
    this.#frame(frameType.headers, flags, streamId, block.subarray(0, first));
    for (let at = first; at < block.length; at += defaultFrameMax) {
      const end = Math.min(at + defaultFrameMax, block.length);
      const last = end === block.length ? flag.endHeaders : 0;
      this.#frame(frameType.continuation, last, streamId, block.subarray(at, end));
    }
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    this.#reserve(frameHeaderBytes + payload.length);
    this.#head(payload.length, type, flags, streamId);
    const slab = this.#slab;
    // A few bytes are faster set one by one than by a call into the runtime.
    if (payload.length < 32) {
      for (let i = 0; i < payload.length; i++) slab[this.#at + i] = payload[i]!;
    } else slab.set(payload, this.#at);
    this.#at += payload.length;
  }

  data(
    streamId: number,
    bytes: Uint8Array,
    span: { from: number; to: number; end: boolean },
  ): void {
    this.answers++;
    const { from, to, end } = span;
    this.#reserve(frameHeaderBytes + to - from);
    this.#head(to - from, frameType.data, end ? flag.endStream : 0, streamId);
    const isWhole = from === 0 && to === bytes.length;
    this.#slab.set(isWhole ? bytes : bytes.subarray(from, to), this.#at);
    this.#at += to - from;
  }

  reset(streamId: number, code: number): void {
    this.#reserve(frameHeaderBytes + 4);
    this.#head(4, frameType.rstStream, 0, streamId);
    this.#uint32(code);
    this.#controlFrames++;
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#reserve(frameHeaderBytes + 4);
    this.#head(4, frameType.windowUpdate, 0, streamId);
    this.#uint32(increment);
  }

  settings(pairs: readonly (readonly [id: number, value: number])[]): void {
    this.#reserve(frameHeaderBytes + pairs.length * 6);
    this.#head(pairs.length * 6, frameType.settings, 0, 0);
    for (const [id, value] of pairs) {
      this.#slab.writeUInt16BE(id, this.#at);
      this.#at += 2;
      this.#uint32(value);
    }
  }

  settingsAck(): void {
    this.#reserve(frameHeaderBytes);
    this.#head(0, frameType.settings, flag.ack, 0);
    this.#controlFrames++;
  }

  ping(opaque: Buffer, isAnswer: boolean): void {
    this.#frame(frameType.ping, isAnswer ? flag.ack : 0, 0, opaque);
    if (isAnswer) this.#controlFrames++;
  }

  goaway(lastStreamId: number, code: number, text: string): void {
    const debug = Buffer.from(text);
    this.#reserve(frameHeaderBytes + 8 + debug.length);
    this.#head(8 + debug.length, frameType.goaway, 0, 0);
    this.#uint32(lastStreamId);
    this.#uint32(code);
    this.bytes(debug);
  }
}
