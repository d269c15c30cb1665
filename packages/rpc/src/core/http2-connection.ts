/**
 * The server's side of an HTTP/2 connection.
 *
 * Why not node:http2? A stream there costs 20 µs and more of objects, callbacks and crossings into
 * C++, for an answer of 60 bytes. docs/decisions/0007 has the numbers.
 *
 * Source  RFC 9113; golang.org/x/net/http2 server.go for what clients rely on
 */
import type { HeaderBlock } from "./hpack.ts";
import { defaultWindow, Http2Fault, http2Error, StreamFault, setting } from "./http2-codes.ts";
import {
  connectionWindow,
  type EndpointHooks,
  Http2Endpoint,
  headerListMaxBytes,
} from "./http2-endpoint.ts";
import { Http2Stream, type StreamSink } from "./http2-stream.ts";
import { PingPolicy } from "./ping-policy.ts";
import { checkRequest, checkTrailers, type RequestHead } from "./request-head.ts";

export interface ConnectionHooks extends EndpointHooks {
  /** A request has begun; its sink gets the body. */
  request(stream: Http2Stream, head: RequestHead): StreamSink;
}

export interface ConnectionLimits {
  /** Requests at once; as many as come unless told. */
  readonly streamsMax?: number | undefined;
  /** Milliseconds between pings of the client; any unless told. */
  readonly pingMinMs?: number | undefined;
  readonly nowMs?: (() => number) | undefined;
}

const streamWindow = 1 << 20;

export class Http2Connection extends Http2Endpoint {
  readonly isClient = false;
  readonly #request: ConnectionHooks["request"];
  readonly #streamsMax: number;
  readonly #pings: PingPolicy | undefined;
  readonly #nowMs: () => number;

  constructor(hooks: ConnectionHooks, { streamsMax, pingMinMs, nowMs }: ConnectionLimits = {}) {
    super(hooks, streamWindow, false);
    this.#request = hooks.request;
    this.#streamsMax = streamsMax ?? Number.POSITIVE_INFINITY;
    this.#nowMs = nowMs ?? (() => 0);
    if (pingMinMs !== undefined) this.#pings = new PingPolicy(pingMinMs);
    const limits = streamsMax === undefined ? [] : [[setting.maxConcurrentStreams, streamsMax]];
    this.outbox.settings([
      [setting.initialWindowSize, streamWindow],
      [setting.maxHeaderListSize, headerListMaxBytes],
      ...(limits as [number, number][]),
    ]);
    this.outbox.windowUpdate(0, connectionWindow - defaultWindow);
  }

  protected block(streamId: number, endStream: boolean, block: HeaderBlock): void {
    const known = this.streams.get(streamId);
    if (known !== undefined) {
      if (known.isRemoteDone) throw new StreamFault(known.id, http2Error.streamClosed);
      if (!endStream || !checkTrailers(block) || !known.expects(0, true)) {
        throw new StreamFault(known.id, http2Error.protocol);
      }
      known.remoteDone();
      known.sink!.end();
      return;
    }
    if (streamId <= this.lastStreamId) {
      if (this.resets.has(streamId)) return;
      throw new Http2Fault(http2Error.streamClosed, "HEADERS on a closed stream");
    }
    this.lastStreamId = streamId;
    if (block.isTooLarge) throw new StreamFault(streamId, http2Error.frameSize);
    const head = checkRequest(block);
    if (head === undefined) throw new StreamFault(streamId, http2Error.protocol);
    if (this.streams.size >= this.#streamsMax) {
      throw new StreamFault(streamId, http2Error.refusedStream);
    }
    const windows = { send: this.peerWindow, receive: streamWindow };
    const stream = new Http2Stream(streamId, this, windows);
    stream.expectedBytes = head.contentLength;
    if (endStream && !stream.expects(0, true)) {
      throw new StreamFault(streamId, http2Error.protocol);
    }
    this.streams.set(streamId, stream);
    stream.isRemoteDone = endStream;
    stream.sink = this.#request(stream, head);
    if (endStream) stream.sink.end();
  }

  /** A client that says good-bye ends its streams itself. */
  protected goaway(): void {}

  protected ponged(): void {}

  protected override pinged(): void {
    const { streams, outbox } = this;
    const now = { ms: this.#nowMs(), hasCalls: streams.size > 0, answered: outbox.answers };
    if (this.#pings?.isTooMany(now)) this.end(http2Error.enhanceYourCalm, "too_many_pings");
  }

  ping(): void {
    this.outbox.ping(Buffer.alloc(8), false);
    this.hooks.flushSoon();
  }

  protected streamsMax(): void {}
}
