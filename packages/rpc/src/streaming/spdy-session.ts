/**
 * A SPDY/3.1 connection: many streams over one socket, opened by either side.
 *
 * Container runtimes serve exec, attach and port-forward that way, and kubectl's older versions
 * ask for it. A stream is a Node Duplex: ending it half-closes, destroying it resets.
 * Source  k8s.io/streaming/pkg/httpstream/spdy, github.com/moby/spdystream
 */
import { Duplex } from "node:stream";
import {
  createDeflate,
  createInflate,
  type Deflate,
  type Inflate,
  constants as zlib,
} from "node:zlib";
import {
  controlFrame,
  dataFrame,
  decodeHeaders,
  encodeHeaders,
  FLAG_FIN,
  type FrameHead,
  frameType,
  goAwayPayload,
  HEADER_BYTES,
  headerDictionary,
  pingPayload,
  readFrameHead,
  rstStreamPayload,
  synReplyPayload,
  synStreamPayload,
} from "./spdy-frames.ts";

const RST_CANCEL = 5;
/** Frames are cut to that size, so that one stream does not hold up the others. */
const DATA_BYTES_MAX = 64 * 1024;

/** One stream of a session. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #session: SpdySession;
  #resume: (() => void) | undefined;
  #remoteEnded = false;
  #localEnded = false;

  constructor(session: SpdySession, id: number, headers: Record<string, string>) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#session = session;
    // A reset concerns whoever uses the stream; nobody using it is no crash.
    this.on("error", () => {});
  }

  override _read(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#localEnded) {
      done(); // The other side wants no more.
      return;
    }
    for (let at = 0; at < chunk.length; at += DATA_BYTES_MAX) {
      this.#session.sendData(this.id, 0, chunk.subarray(at, at + DATA_BYTES_MAX));
    }
    this.#session.whenWritable(done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#localEnded) this.#session.sendData(this.id, FLAG_FIN, Buffer.alloc(0));
    this.#localEnded = true;
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#remoteEnded || !this.#localEnded) this.#session.reset(this.id);
    this.#session.drop(this.id);
    this.#resume?.();
    done(error);
  }

  /** Resolves when the reader wants more; the session reads no frame before. */
  accept(data: Buffer): Promise<void> | undefined {
    // Whoever has ended or reset it says no more: nobody would read it, and the session would wait.
    if (this.destroyed || this.#remoteEnded || this.push(data)) return undefined;
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  acceptEnd(): void {
    if (this.#remoteEnded) return;
    this.#remoteEnded = true;
    if (!this.destroyed) this.push(null);
  }

  /** What came before the reset is still to be read (containerd resets after its last word). */
  acceptReset(): void {
    this.#localEnded = true;
    this.acceptEnd();
    if (!this.writableEnded) this.end();
  }
}

/** More than any client's headers; a few bytes can say a thousand times as many. */
const HEADER_BYTES_MAX = 256 * 1024;

/** Compression that keeps its state from block to block. */
class HeaderCodec {
  readonly #deflate: Deflate = createDeflate({ dictionary: headerDictionary });
  readonly #inflate: Inflate = createInflate({ dictionary: headerDictionary });
  /** Of the block that is being read. */
  #taken: { parts: Buffer[]; sizeBytes: number; fail(error: Error): void } | undefined;

  constructor() {
    const fail = (error: Error) => this.#taken?.fail(error);
    this.#deflate.on("error", () => {});
    this.#inflate.on("error", fail);
    // What comes behind the end of the other side's compression is read by nobody.
    this.#inflate.on("end", () => fail(new Error("the headers' compression has ended")));
    this.#inflate.on("data", (part: Buffer) => this.#take(part));
  }

  compress(block: Buffer): Promise<Buffer> {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#deflate.write(block);
    this.#deflate.flush(zlib.Z_SYNC_FLUSH, () => resolve(this.#deflate.read() ?? Buffer.alloc(0)));
    return promise;
  }

  /** One at a time. Rejects when the block is none, or inflates beyond all measure. */
  async decompress(block: Buffer): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const taken = { parts: [], sizeBytes: 0, fail: reject };
    this.#taken = taken;
    this.#inflate.write(block, (error) => (error ? reject(error) : resolve()));
    try {
      await promise;
    } finally {
      this.#taken = undefined;
    }
    return Buffer.concat(taken.parts);
  }

  #take(part: Buffer): void {
    if (this.#taken === undefined) return;
    this.#taken.parts.push(part);
    this.#taken.sizeBytes += part.length;
    if (this.#taken.sizeBytes <= HEADER_BYTES_MAX) return;
    this.#taken.fail(new Error("the headers are too large"));
    this.#inflate.destroy();
  }

  close(): void {
    this.#deflate.close();
    this.#inflate.close();
  }
}

export interface SpdySessionOptions {
  /** Servers open even streams, clients odd ones. */
  server: boolean;
  /** Bytes that came with the upgrade. */
  head?: Buffer | undefined;
  /** The other side opened a stream. */
  onStream?: ((stream: SpdyStream) => void) | undefined;
}

export class SpdySession {
  readonly #socket: Duplex;
  readonly #codec = new HeaderCodec();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #options: SpdySessionOptions;
  #nextID: number;
  #lastRemoteID = 0;
  #sending: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  readonly #closing = Promise.withResolvers<void>();

  constructor(socket: Duplex, options: SpdySessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#nextID = options.server ? 2 : 1;
    // The last frames may still be unread when the socket closes: the reader's end is the end.
    socket.on("error", () => {});
    const end = () => this.close();
    this.#readFrames(options.head ?? Buffer.alloc(0)).then(end, end);
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closing.promise;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Opens a stream; `fin` half-closes it at once (nothing will be written). */
  async openStream(headers: Record<string, string>, fin = false): Promise<SpdyStream> {
    const id = this.#nextID;
    this.#nextID += 2;
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    await this.#sendHeaders(frameType.synStream, fin ? FLAG_FIN : 0, headers, (block) =>
      synStreamPayload(id, block),
    );
    return stream;
  }

  /** Header blocks share one compressor, so they go out in the order they were made. */
  #sendHeaders(
    type: number,
    flags: number,
    headers: Record<string, string>,
    payload: (block: Buffer) => Buffer,
  ): Promise<unknown> {
    this.#sending = this.#sending.then(async () => {
      if (this.#isClosed) return;
      const block = await this.#codec.compress(encodeHeaders(headers));
      this.#send(controlFrame(type, flags, payload(block)));
    });
    return this.#sending;
  }

  #send(frame: Buffer): void {
    if (!this.#isClosed && this.#socket.writable) this.#socket.write(frame);
  }

  sendData(id: number, flags: number, data: Uint8Array): void {
    this.#send(dataFrame(id, flags, data));
  }

  whenWritable(done: (error?: Error | null) => void): void {
    if (this.#isClosed || !this.#socket.writableNeedDrain) done();
    else {
      const go = () => {
        this.#socket.off("drain", go);
        this.#socket.off("close", go);
        done();
      };
      this.#socket.on("drain", go);
      this.#socket.on("close", go);
    }
  }

  reset(id: number): void {
    const payload = rstStreamPayload(id, RST_CANCEL);
    this.#send(controlFrame(frameType.rstStream, 0, payload));
  }

  drop(id: number): void {
    this.#streams.delete(id);
  }

  async #readFrames(head: Buffer): Promise<void> {
    let buffered = head;
    const drain = async () => {
      while (buffered.length >= HEADER_BYTES) {
        const frame = readFrameHead(buffered);
        const end = HEADER_BYTES + frame.length;
        if (buffered.length < end) return;
        const payload = buffered.subarray(HEADER_BYTES, end);
        buffered = buffered.subarray(end);
        await this.#handle(frame, payload);
      }
    };
    await drain();
    for await (const chunk of this.#socket as AsyncIterable<Buffer>) {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
      await drain();
    }
  }

  async #handle(frame: FrameHead, payload: Buffer): Promise<void> {
    if (!frame.control) {
      const stream = this.#streams.get(frame.streamID);
      if (payload.length > 0) await stream?.accept(Buffer.from(payload));
      if ((frame.flags & FLAG_FIN) !== 0) stream?.acceptEnd();
      return;
    }
    switch (frame.type) {
      case frameType.synStream:
        await this.#accept(frame, payload);
        break;
      case frameType.synReply:
      case frameType.headers:
        await this.#codec.decompress(payload.subarray(4));
        if ((frame.flags & FLAG_FIN) !== 0) this.#streamOf(payload)?.acceptEnd();
        break;
      case frameType.rstStream:
        this.#streamOf(payload)?.acceptReset();
        break;
      case frameType.ping: {
        // Ours come back to us with an id of our parity.
        const id = payload.readUInt32BE(0);
        const theirs = (id & 1) === (this.#options.server ? 1 : 0);
        if (theirs) this.#send(controlFrame(frameType.ping, 0, pingPayload(id)));
        break;
      }
      default:
        break; // Settings, window updates and go-away ask nothing of us.
    }
  }

  #streamOf(payload: Buffer): SpdyStream | undefined {
    return this.#streams.get(payload.readUInt32BE(0) & 0x7fffffff);
  }

  async #accept(frame: FrameHead, payload: Buffer): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = decodeHeaders(await this.#codec.decompress(payload.subarray(10)));
    const stream = new SpdyStream(this, id, headers);
    this.#lastRemoteID = id;
    this.#streams.set(id, stream);
    void this.#sendHeaders(frameType.synReply, 0, {}, (block) => synReplyPayload(id, block));
    if ((frame.flags & FLAG_FIN) !== 0) stream.acceptEnd();
    if (this.#options.onStream === undefined) stream.destroy();
    else this.#options.onStream(stream);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#send(controlFrame(frameType.goAway, 0, goAwayPayload(this.#lastRemoteID)));
    this.#isClosed = true;
    for (const stream of [...this.#streams.values()]) {
      stream.acceptEnd();
      if (!stream.writableEnded) stream.end();
    }
    this.#streams.clear();
    this.#socket.end();
    this.#codec.close();
    this.#closing.resolve();
  }
}
