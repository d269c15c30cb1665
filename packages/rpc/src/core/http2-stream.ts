/**
 * One stream of a connection: what comes in goes to its sink, what goes out keeps to the
 * windows that the peer granted.
 *
 * Bytes are copied when they are sent: at once into the outbox, or, what no window has room for,
 * into `#waiting` until WINDOW_UPDATE comes. Trailers wait behind them.
 *
 * Source  RFC 9113 sections 5.1, 5.2, 6.9
 */
import type { ResponseBlocks } from "./hpack-response.ts";
import { defaultFrameMax, http2Error } from "./http2-codes.ts";
import type { Outbox } from "./http2-outbox.ts";

/** The fields at the end of an answer; "ok" is that of a call that succeeded. */
export type Trailers = "ok" | readonly (readonly [string, string])[];

/** Who serves a stream. */
export interface StreamSink {
  /** A piece of the body: a view on what was received, valid for good. */
  data(bytes: Buffer): void;
  /** The body is over. */
  end(): void;
  /** The peer, or the connection, ended the stream before it was answered. */
  closed(): void;
  /** Everything that waited has left: more may be sent. */
  caughtUp(): void;
}

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly isClient: boolean;
  readonly outbox: Outbox;
  readonly blocks: ResponseBlocks;
  /** Of the whole connection: bytes that may still be sent. */
  sendWindow: number;
  readonly isBacklogged: boolean;
  /** Has something to send that no window has room for. */
  blocked(stream: Http2Stream): void;
  /** Both sides are done; `isReset`: we ended it, and the peer may not know yet. */
  finished(stream: Http2Stream, isReset: boolean): void;
  flushSoon(): void;
  grantStream(stream: Http2Stream, count: number): void;
}

export class Http2Stream {
  readonly id: number;
  readonly owner: StreamOwner;
  sink: StreamSink | undefined = undefined;
  sendWindow: number;
  receiveWindow: number;
  /** Received and consumed, not yet granted again. */
  ungranted = 0;
  /** The peer has sent everything. */
  isRemoteDone = false;
  /** We have: the last frame is in the outbox. */
  isLocalDone = false;
  isReset = false;
  /** What `content-length` leaves to come. */
  expectedBytes: number | undefined = undefined;
  #waiting: Uint8Array[] | undefined = undefined;
  #waitingBytes = 0;
  #trailers: Trailers | undefined = undefined;
  #isEnding = false;

  constructor(id: number, owner: StreamOwner, windows: { send: number; receive: number }) {
    this.id = id;
    this.owner = owner;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
  }

  /** Nothing more can be said. */
  get isClosed(): boolean {
    return this.isReset || this.#isEnding;
  }

  get hasWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Given to `data` and not yet on its way: no window, or the socket, has room for it. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  headers(block: Buffer, isEnd: boolean): void {
    if (this.isClosed) return;
    this.owner.outbox.headers(this.id, block, isEnd);
    this.owner.flushSoon();
    if (isEnd) {
      this.#isEnding = true;
      this.#done();
    }
  }

  /**
   * Sends bytes[from, to), which may change afterwards unless they are ours to keep (`isGiven`).
   * False: wait for `caughtUp`.
   */
  data(bytes: Uint8Array, from: number, to: number, isGiven = false): boolean {
    if (this.isClosed) return true;
    let at = from;
    if (this.#waiting === undefined && !this.owner.isBacklogged) {
      at = this.#emit(bytes, from, to);
      this.owner.flushSoon();
    }
    if (at === to) return true;
    this.#waiting ??= [];
    const rest = bytes.subarray(at, to);
    this.#waiting.push(isGiven ? rest : Buffer.from(rest));
    this.#waitingBytes += rest.length;
    this.owner.blocked(this);
    return false;
  }

  /** A body that is there as a whole, and ours to keep: its end needs no frame of its own. */
  wholeBody(bytes: Uint8Array): void {
    const { owner } = this;
    const room = Math.min(this.sendWindow, owner.sendWindow, defaultFrameMax);
    if (this.isClosed || owner.isBacklogged || bytes.length > room) {
      this.data(bytes, 0, bytes.length, true);
      this.endData();
      return;
    }
    this.#isEnding = true;
    this.sendWindow -= bytes.length;
    owner.sendWindow -= bytes.length;
    owner.outbox.data(this.id, bytes, { from: 0, to: bytes.length, end: true });
    owner.flushSoon();
    this.#done();
  }

  trailers(trailers: Trailers): void {
    if (this.isClosed) return;
    this.#isEnding = true;
    this.#trailers = trailers;
    if (this.#waiting === undefined) this.#finishBody();
  }

  /** Ends a body that has no trailers. */
  endData(): void {
    if (this.isClosed) return;
    this.#isEnding = true;
    if (this.#waiting === undefined) this.#finishBody();
  }

  #finishBody(): void {
    const { outbox, blocks } = this.owner;
    const trailers = this.#trailers;
    // Encoded only now: a block may depend on those that were sent before it.
    if (trailers === "ok") outbox.headers(this.id, blocks.trailers(), true);
    else if (trailers !== undefined) outbox.headers(this.id, blocks.fields(trailers), true);
    else outbox.data(this.id, emptyBody, { from: 0, to: 0, end: true });
    this.owner.flushSoon();
    this.#done();
  }

  /** Does so much more of the body keep to the content-length that was announced? */
  expects(count: number, isEnd: boolean): boolean {
    if (this.expectedBytes === undefined) return true;
    this.expectedBytes -= count;
    return isEnd ? this.expectedBytes === 0 : this.expectedBytes >= 0;
  }

  /** As much as the windows allow; gives where it stopped. */
  #emit(bytes: Uint8Array, from: number, to: number): number {
    const { owner } = this;
    let at = from;
    while (at < to) {
      const room = Math.min(this.sendWindow, owner.sendWindow, defaultFrameMax, to - at);
      if (room <= 0) break;
      owner.outbox.data(this.id, bytes, { from: at, to: at + room, end: false });
      this.sendWindow -= room;
      owner.sendWindow -= room;
      at += room;
    }
    return at;
  }

  /** Sends what waited, a frame at most, so that streams take turns. True: there is more to send. */
  pump(): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined || this.isReset) return false;
    const first = waiting[0]!;
    const at = this.#emit(first, 0, Math.min(first.length, defaultFrameMax));
    this.#waitingBytes -= at;
    if (at < first.length) waiting[0] = first.subarray(at);
    else waiting.shift();
    if (waiting.length > 0) return at > 0;
    this.#waiting = undefined;
    if (this.#isEnding) this.#finishBody();
    else this.sink?.caughtUp();
    return false;
  }

  /** The sink has taken so many bytes of the body: the peer may send as many again. */
  consumed(count: number): void {
    this.ungranted += count;
    if (!this.isRemoteDone && !this.isReset) this.owner.grantStream(this, this.ungranted);
  }

  reset(code: number): void {
    if (this.isReset || (this.isLocalDone && this.isRemoteDone)) return;
    this.isReset = true;
    this.#waiting = undefined;
    this.owner.outbox.reset(this.id, code);
    this.owner.flushSoon();
    this.owner.finished(this, true);
  }

  /** The other side has ended it, or the connection is gone. */
  lost(): void {
    if (this.isReset) return;
    this.isReset = true;
    this.#waiting = undefined;
    this.owner.finished(this, false);
    this.sink?.closed();
  }

  remoteDone(): void {
    this.isRemoteDone = true;
    if (this.isLocalDone) this.owner.finished(this, false);
  }

  #done(): void {
    this.isLocalDone = true;
    if (this.isRemoteDone) this.owner.finished(this, false);
    // Answered early: what the client still sends is not wanted.
    else if (!this.owner.isClient) this.reset(http2Error.noError);
  }
}

const emptyBody = Buffer.alloc(0);
