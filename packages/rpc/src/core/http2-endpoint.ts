/**
 * What both sides of an HTTP/2 connection do alike, between bytes and streams: frames, settings,
 * windows, header blocks. Pure: bytes are handed in (`receive`), bytes are taken out (`outbox`),
 * and whoever owns the socket moves them. http2-connection.ts is the server's side,
 * http2-client.ts the client's.
 *
 * Limits  header blocks (as sent, and as a list), frames of 16 KiB, answers to control frames that
 *         nobody reads: whoever goes beyond gets GOAWAY
 * Errors  a fault of a stream is RST_STREAM, one of the connection GOAWAY and the end
 * Source  RFC 9113; golang.org/x/net/http2 server.go for what clients rely on
 */
import { type HeaderBlock, HpackDecoder } from "./hpack.ts";
import { ResponseBlocks } from "./hpack-response.ts";
import {
  defaultWindow,
  flag,
  frameHeaderBytes,
  frameType,
  Http2Fault,
  http2Error,
  StreamFault,
  setting,
  windowMax,
} from "./http2-codes.ts";
import {
  checkControl,
  checkSetting,
  type Frame,
  FrameReader,
  fault,
  unpad,
} from "./http2-frames.ts";
import { Outbox } from "./http2-outbox.ts";
import type { Http2Stream, StreamOwner } from "./http2-stream.ts";

export interface EndpointHooks {
  /** There is something in the outbox: take it at the end of this turn. */
  flushSoon(): void;
  /** The connection is over; what is in the outbox should still go out. */
  ended(reason: string): void;
}

export const headerListMaxBytes = 16 << 20;
export const connectionWindow = 16 << 20;
const blockMaxBytes = 1 << 20;
const controlFramesMax = 10_000;
const resetsMax = 1000;

/** A header block that goes on in CONTINUATION frames. */
interface OpenBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly parts: Buffer[];
  sizeBytes: number;
}

export abstract class Http2Endpoint implements StreamOwner {
  abstract readonly isClient: boolean;
  readonly outbox = new Outbox();
  readonly blocks = new ResponseBlocks();
  sendWindow = defaultWindow;
  /** The socket does not take more for now: bodies wait. */
  isBacklogged = false;
  protected readonly hooks: EndpointHooks;
  protected readonly streams = new Map<number, Http2Stream>();
  /** Streams that we ended of late: what the peer had sent by then is no fault of it. */
  protected readonly resets = new Set<number>();
  protected readonly streamWindow: number;
  protected state: "settings" | "open" | "ended" = "settings";
  /** The youngest stream that the client has begun. */
  protected lastStreamId = 0;
  protected peerWindow = defaultWindow;
  readonly #decoder = new HpackDecoder(headerListMaxBytes);
  readonly #blocked = new Set<Http2Stream>();
  readonly #reader: FrameReader;
  #openBlock: OpenBlock | undefined;
  #receiveWindow = connectionWindow;

  constructor(hooks: EndpointHooks, streamWindow: number, isGreeted: boolean) {
    this.hooks = hooks;
    this.streamWindow = streamWindow;
    this.#reader = new FrameReader(isGreeted);
  }

  /** A whole block of headers has come. */
  protected abstract block(streamId: number, endStream: boolean, block: HeaderBlock): void;
  /** The peer wants no new streams here. */
  protected abstract goaway(lastStreamId: number): void;
  /** The peer gave up a stream, and says why. */
  protected wasReset(_stream: Http2Stream, _code: number): void {}
  /** The peer's ping is answered. */
  protected pinged(): void {}
  /** Our ping is answered. */
  protected abstract ponged(): void;
  /** How many streams at once the peer takes. */
  protected abstract streamsMax(count: number): void;

  get isEnded(): boolean {
    return this.state === "ended";
  }

  /** Bytes from the peer, cut anywhere. They are kept as views: the caller gives them away. */
  receive(chunk: Buffer): void {
    this.#reader.push(chunk);
    while (this.state !== "ended" && this.#step()) {}
  }

  /** Deals with one frame, if there is a whole one. */
  #step(): boolean {
    try {
      const frame = this.#reader.next();
      if (frame === undefined) return false;
      this.#frame(frame);
    } catch (error) {
      if (error instanceof StreamFault) this.#fail(error);
      else if (error instanceof Http2Fault) this.end(error.code, error.message);
      else throw error;
    }
    return true;
  }

  #frame(frame: Frame): void {
    const { type } = frame;
    if (this.state === "settings") {
      if (type !== frameType.settings || (frame.flags & flag.ack) !== 0) {
        throw fault("the first frame is not SETTINGS");
      }
      this.state = "open";
    }
    if (this.#openBlock !== undefined && type !== frameType.continuation) {
      throw fault("a frame inside of a header block");
    }
    switch (type) {
      case frameType.data:
        this.#data(frame);
        break;
      case frameType.headers:
        this.#headers(frame);
        break;
      case frameType.priority:
        this.#priority(frame);
        break;
      case frameType.rstStream:
        this.#reset(frame);
        break;
      case frameType.settings:
        this.#settings(frame);
        break;
      case frameType.pushPromise:
        throw fault("PUSH_PROMISE that nobody allowed");
      case frameType.ping:
        this.#ping(frame);
        break;
      case frameType.goaway:
        checkControl(frame, frame.to - frame.from >= 8);
        this.goaway(frame.bytes.readUInt32BE(frame.from) & windowMax);
        break;
      case frameType.windowUpdate:
        this.#windowUpdate(frame);
        break;
      case frameType.continuation:
        this.#continuation(frame);
    }
    // Frames of types that nobody knows yet are skipped.
  }

  #data(frame: Frame): void {
    const { streamId, bytes } = frame;
    if (streamId === 0) throw fault("DATA on stream 0");
    const size = frame.to - frame.from;
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) throw new Http2Fault(http2Error.flowControl, "window exceeded");
    // The connection's window only bounds what is under way: streams have their own.
    if (this.#receiveWindow < connectionWindow / 2) {
      this.outbox.windowUpdate(0, connectionWindow - this.#receiveWindow);
      this.#receiveWindow = connectionWindow;
      this.hooks.flushSoon();
    }
    unpad(frame);
    const stream = this.streams.get(streamId);
    if (stream === undefined || stream.isRemoteDone) {
      if (this.resets.has(streamId)) return;
      if (streamId > this.lastStreamId || streamId % 2 === 0) throw fault("DATA on idle stream");
      throw new StreamFault(streamId, http2Error.streamClosed);
    }
    stream.receiveWindow -= size;
    if (stream.receiveWindow < 0) throw new StreamFault(stream.id, http2Error.flowControl);
    const padding = size - (frame.to - frame.from);
    if (padding > 0) stream.consumed(padding);
    const isEnd = (frame.flags & flag.endStream) !== 0;
    if (!stream.expects(frame.to - frame.from, isEnd)) {
      throw new StreamFault(stream.id, http2Error.protocol);
    }
    if (isEnd) stream.remoteDone();
    if (frame.to > frame.from) stream.sink!.data(bytes.subarray(frame.from, frame.to));
    if (isEnd) stream.sink!.end();
  }

  #headers(frame: Frame): void {
    const { streamId, flags } = frame;
    if (streamId % 2 === 0) throw fault("HEADERS on an even stream");
    unpad(frame);
    let from = frame.from;
    if ((flags & flag.priority) !== 0) {
      if (frame.to - from < 5) throw new Http2Fault(http2Error.frameSize, "no room for priority");
      if ((frame.bytes.readUInt32BE(from) & windowMax) === streamId) {
        throw fault("a stream that depends on itself");
      }
      from += 5;
    }
    const endStream = (flags & flag.endStream) !== 0;
    if ((flags & flag.endHeaders) !== 0) {
      this.block(streamId, endStream, this.#decoder.decode(frame.bytes, from, frame.to));
      return;
    }
    const part = frame.bytes.subarray(from, frame.to);
    this.#openBlock = { streamId, endStream, parts: [part], sizeBytes: part.length };
  }

  #continuation({ streamId, flags, bytes, from, to }: Frame): void {
    const open = this.#openBlock;
    if (open === undefined || open.streamId !== streamId) throw fault("CONTINUATION of nothing");
    open.parts.push(bytes.subarray(from, to));
    // Empty frames count too, or they could come for ever.
    open.sizeBytes += to - from + frameHeaderBytes;
    if (open.sizeBytes > blockMaxBytes) {
      throw new Http2Fault(http2Error.enhanceYourCalm, "header block too large");
    }
    if ((flags & flag.endHeaders) === 0) return;
    this.#openBlock = undefined;
    const whole = Buffer.concat(open.parts);
    this.block(streamId, open.endStream, this.#decoder.decode(whole, 0, whole.length));
  }

  #priority({ streamId, bytes, from, to }: Frame): void {
    if (streamId === 0) throw fault("PRIORITY on stream 0");
    if (to - from !== 5) throw new StreamFault(streamId, http2Error.frameSize);
    const parent = bytes.readUInt32BE(from) & windowMax;
    if (parent === streamId) throw new StreamFault(streamId, http2Error.protocol);
  }

  #reset({ streamId, bytes, from, to }: Frame): void {
    if (to - from !== 4) throw new Http2Fault(http2Error.frameSize, "RST_STREAM of wrong size");
    this.checkNotIdle(streamId);
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    this.wasReset(stream, bytes.readUInt32BE(from));
    stream.lost();
  }

  #settings(frame: Frame): void {
    const { flags, bytes, from, to } = frame;
    checkControl(frame, (flags & flag.ack) !== 0 ? to === from : (to - from) % 6 === 0);
    if ((flags & flag.ack) !== 0) return;
    for (let at = from; at < to; at += 6) {
      this.#setting(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
    }
    this.outbox.settingsAck();
    this.answeredControl();
  }

  #setting(id: number, value: number): void {
    checkSetting(id, value);
    if (id === setting.headerTableSize) this.blocks.tableSize(value);
    if (id === setting.maxConcurrentStreams) this.streamsMax(value);
    if (id !== setting.initialWindowSize) return;
    const more = value - this.peerWindow;
    this.peerWindow = value;
    for (const stream of this.streams.values()) {
      stream.sendWindow += more;
      if (stream.sendWindow > windowMax) {
        throw new Http2Fault(http2Error.flowControl, "a stream's window is too large");
      }
    }
    if (more > 0) this.pump();
  }

  #ping(frame: Frame): void {
    checkControl(frame, frame.to - frame.from === 8);
    if ((frame.flags & flag.ack) !== 0) {
      this.ponged();
      return;
    }
    this.outbox.ping(frame.bytes.subarray(frame.from, frame.to), true);
    this.answeredControl();
    this.pinged();
  }

  /** A peer that makes us answer and does not read the answers is cut off. */
  protected answeredControl(): void {
    this.hooks.flushSoon();
    if (this.outbox.controlFrames > controlFramesMax) {
      this.end(http2Error.enhanceYourCalm, "too many control frames");
    }
  }

  #windowUpdate({ streamId, bytes, from, to }: Frame): void {
    if (to - from !== 4) throw new Http2Fault(http2Error.frameSize, "WINDOW_UPDATE of wrong size");
    const increment = bytes.readUInt32BE(from) & windowMax;
    if (streamId === 0) {
      if (increment === 0) throw fault("WINDOW_UPDATE of 0");
      this.sendWindow += increment;
      if (this.sendWindow > windowMax) {
        throw new Http2Fault(http2Error.flowControl, "the connection's window is too large");
      }
    } else {
      this.checkNotIdle(streamId);
      const stream = this.streams.get(streamId);
      if (stream === undefined) return;
      if (increment === 0) throw new StreamFault(stream.id, http2Error.protocol);
      stream.sendWindow += increment;
      if (stream.sendWindow > windowMax) throw new StreamFault(stream.id, http2Error.flowControl);
      if (!stream.hasWaiting) return;
    }
    this.pump();
  }

  /** Streams that nobody has begun have no frames. */
  protected checkNotIdle(streamId: number): void {
    if (streamId === 0 || streamId % 2 === 0 || streamId > this.lastStreamId) {
      throw fault("a frame for an idle stream");
    }
  }

  #fail({ streamId, code }: StreamFault): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.outbox.reset(streamId, code);
    else {
      stream.reset(code);
      stream.sink?.closed();
    }
    this.answeredControl();
  }

  blocked(stream: Http2Stream): void {
    this.#blocked.add(stream);
  }

  /** Sends what waited, streams in turn, until a window or the socket is full. */
  pump(): void {
    let isMoving = this.#blocked.size > 0;
    while (isMoving && this.sendWindow > 0 && !this.isBacklogged) {
      isMoving = false;
      for (const stream of this.#blocked) {
        if (stream.pump()) isMoving = true;
        else if (!stream.hasWaiting) this.#blocked.delete(stream);
      }
      this.hooks.flushSoon();
    }
  }

  finished(stream: Http2Stream, isReset: boolean): void {
    this.streams.delete(stream.id);
    if (isReset) {
      this.resets.add(stream.id);
      if (this.resets.size > resetsMax) this.resets.delete(this.resets.values().next().value!);
    }
    if (this.#blocked.size > 0) this.#blocked.delete(stream);
  }

  flushSoon(): void {
    this.hooks.flushSoon();
  }

  grantStream(stream: Http2Stream, count: number): void {
    if (count < this.streamWindow / 2) return;
    stream.ungranted = 0;
    stream.receiveWindow += count;
    this.outbox.windowUpdate(stream.id, count);
    this.hooks.flushSoon();
  }

  /** GOAWAY, and every stream is lost. */
  end(code: number, text: string): void {
    if (this.state === "ended") return;
    this.outbox.goaway(this.lastStreamId, code, text);
    this.lost(text);
  }

  /** The socket is gone, or about to be. */
  lost(reason: string): void {
    if (this.state === "ended") return;
    this.state = "ended";
    for (const stream of [...this.streams.values()]) stream.lost();
    this.hooks.ended(reason);
  }
}
