/**
 * The client's side of an HTTP/2 connection: requests go out, their answers come to a sink.
 *
 * More streams than the peer takes wait until others end. A connection whose stream numbers are
 * used up, or whose peer says GOAWAY, is retired: it takes no new streams and ends with its last.
 *
 * Source  RFC 9113 sections 5.1, 6.8, 8.1
 */
import type { HeaderBlock } from "./hpack.ts";
import { defaultWindow, http2Error, preface, StreamFault, setting } from "./http2-codes.ts";
import {
  connectionWindow,
  type EndpointHooks,
  Http2Endpoint,
  headerListMaxBytes,
} from "./http2-endpoint.ts";
import { Http2Stream, type StreamSink } from "./http2-stream.ts";

/** Names of an answer's fields in lower case; several values of one name are joined. */
export type AnswerFields = Readonly<Record<string, string>>;

export interface AnswerSink extends StreamSink {
  /** The status and the fields that stand before the body. */
  head(fields: AnswerFields): void;
  /** The fields behind it. */
  trailers(fields: AnswerFields): void;
}

export interface ClientHooks extends EndpointHooks {
  /** No new streams from now on. */
  retired(): void;
  ponged(): void;
  /** The number of streams that are open, or wait to be, has become 0 or left it. */
  busy(isBusy: boolean): void;
}

const streamWindow = 4 << 20;
const lastIdMax = 2 ** 31 - 1;

export class ClientStream extends Http2Stream {
  readonly answer: AnswerSink;
  hasHead = false;
  /** Why it ended before its time; undefined: the connection was lost. */
  resetCode: number | undefined = undefined;

  constructor(
    id: number,
    owner: Http2Client,
    windows: { send: number; receive: number },
    answer: AnswerSink,
  ) {
    super(id, owner, windows);
    this.answer = answer;
    this.sink = answer;
  }
}

export class Http2Client extends Http2Endpoint {
  readonly isClient = true;
  readonly #hooks: ClientHooks;
  #nextId = 1;
  #isRetired = false;
  #streamsMax = Number.POSITIVE_INFINITY;
  #queue: (() => void)[] = [];
  #isBusy = false;

  constructor(hooks: ClientHooks) {
    super(hooks, streamWindow, true);
    this.#hooks = hooks;
    this.outbox.bytes(Buffer.from(preface, "latin1"));
    this.outbox.settings([
      [setting.enablePush, 0],
      [setting.initialWindowSize, streamWindow],
      [setting.maxHeaderListSize, headerListMaxBytes],
    ]);
    this.outbox.windowUpdate(0, connectionWindow - defaultWindow);
  }

  /** Calls `start` when a stream may be opened: now, or when others have ended. */
  whenRoom(start: () => void): void {
    if (this.streams.size < this.#streamsMax && this.#queue.length === 0) {
      start();
      return;
    }
    this.#queue.push(start);
    this.#checkBusy();
  }

  /** `often` are fields that other requests have too, pseudo fields among them: they go first. */
  open(
    often: readonly (readonly [string, string])[],
    others: readonly (readonly [string, string])[],
    answer: AnswerSink,
  ): ClientStream {
    const id = this.#nextId;
    if (this.isEnded || id > lastIdMax) throw new Error("the connection takes no more streams");
    this.#nextId += 2;
    this.lastStreamId = id;
    const windows = { send: this.peerWindow, receive: streamWindow };
    const stream = new ClientStream(id, this, windows, answer);
    this.streams.set(id, stream);
    stream.headers(this.blocks.answer(often, others), false);
    if (this.#nextId > lastIdMax) this.#retire();
    this.#checkBusy();
    return stream;
  }

  ping(opaque: Buffer): void {
    this.outbox.ping(opaque, false);
    this.hooks.flushSoon();
  }

  override finished(stream: Http2Stream, isReset: boolean): void {
    super.finished(stream, isReset);
    while (this.#queue.length > 0 && this.streams.size < this.#streamsMax) this.#queue.shift()!();
    this.#checkBusy();
  }

  protected block(streamId: number, endStream: boolean, block: HeaderBlock): void {
    this.checkNotIdle(streamId);
    const stream = this.streams.get(streamId) as ClientStream | undefined;
    // We have ended it, and the peer did not know yet.
    if (stream === undefined) return;
    if (stream.isRemoteDone) throw new StreamFault(streamId, http2Error.streamClosed);
    if (block.isTooLarge) throw new StreamFault(streamId, http2Error.frameSize);
    const fields = fieldsOf(block);
    if (stream.hasHead) {
      if (!endStream) throw new StreamFault(streamId, http2Error.protocol);
      stream.answer.trailers(fields);
    } else {
      const status = fields[":status"] ?? "";
      if (!/^[1-5]\d\d$/.test(status)) throw new StreamFault(streamId, http2Error.protocol);
      // "Continue" and the like come before the answer.
      if (status[0] === "1") return;
      stream.hasHead = true;
      stream.answer.head(fields);
    }
    if (!endStream) return;
    stream.remoteDone();
    stream.answer.end();
  }

  protected override wasReset(stream: Http2Stream, code: number): void {
    (stream as ClientStream).resetCode = code;
  }

  protected goaway(lastStreamId: number): void {
    this.#retire();
    for (const stream of [...this.streams.values()]) {
      if (stream.id <= lastStreamId) continue;
      // The peer has not seen it.
      (stream as ClientStream).resetCode = http2Error.refusedStream;
      stream.lost();
    }
  }

  protected ponged(): void {
    this.#hooks.ponged();
  }

  protected streamsMax(count: number): void {
    this.#streamsMax = count;
  }

  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#hooks.retired();
  }

  #checkBusy(): void {
    const isBusy = this.streams.size + this.#queue.length > 0;
    if (isBusy !== this.#isBusy) {
      this.#isBusy = isBusy;
      this.#hooks.busy(isBusy);
    }
    if (!isBusy && this.#isRetired) this.end(http2Error.noError, "");
  }

  /** The socket is gone: what waited for room is lost like what was open. */
  override lost(reason: string): void {
    const waiting = this.#queue;
    this.#queue = [];
    super.lost(reason);
    // They find that nothing can be opened here.
    for (const start of waiting) start();
  }
}

/** Made once for a block that comes again and again. */
function fieldsOf(block: HeaderBlock): AnswerFields {
  if (block.memo !== undefined) return block.memo as AnswerFields;
  const fields = Object.create(null) as Record<string, string>;
  for (const { name, value } of block.fields) {
    const before = fields[name];
    fields[name] = before === undefined ? value : `${before}, ${value}`;
  }
  block.memo = fields;
  return fields;
}
