/**
 * One call on the server, carried by one HTTP/2 stream.
 *
 * The stream's headers name the method; frames of its body are the requests. The answer is headers,
 * frames, and trailers with the status; a failure before the first message is headers alone
 * ("trailers-only"). Whatever ends the stream early aborts `signal`.
 *
 * A unary call is the hot path: one object, no promise, no timer and no abort controller unless the
 * handler is late or asks for them.
 * Source  gRPC over HTTP2; google.golang.org/grpc internal/transport/http2_server.go
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ServerStream } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import { type Init, Pieces } from "../core/codec.ts";
import { FrameParser } from "../core/frame.ts";
import type { Http2Stream, StreamSink, Trailers } from "../core/http2-stream.ts";
import { MessageQueue } from "../core/message-queue.ts";
import { type Metadata, metadataFromHeaders, metadataToHeaders } from "../core/metadata.ts";
import type { RequestHead } from "../core/request-head.ts";
import type { Route } from "../core/router.ts";
import { codes, encodeMessage, RpcError, toRpcError } from "../core/status.ts";
import type { Writer } from "../core/wire.ts";
import { framePayload } from "./compression.ts";

export interface CallLimits {
  readonly receiveMaxBytes: number;
  readonly sendMaxBytes: number;
  readonly traffic: Traffic;
}

/** Bytes of messages, without what carries them. */
export interface Traffic {
  received: number;
  sent: number;
}

/** What calls of one header block on one connection have in common. */
export interface CallPlan {
  readonly route: Route;
  readonly head: RequestHead;
  /** Undefined: none; NaN: not readable. */
  readonly timeoutMs: number | undefined;
}

export interface CallSetup {
  readonly clock: RpcClock;
  readonly limits: CallLimits;
  readonly socket: Socket;
}

type Handler = (...args: unknown[]) => unknown;

const frameHeaderBytes = 5;
/** From here on a message is not copied while it waits: it takes the writer's buffer with it. */
const surrenderBytes = 256 * 1024;

export class ServerCall implements ServerStream<unknown, unknown>, StreamSink {
  readonly #stream: Http2Stream;
  readonly #plan: CallPlan;
  readonly #setup: CallSetup;
  requestBytes: Buffer | undefined = undefined;
  #parser: FrameParser | undefined = undefined;
  #queue: MessageQueue<unknown> | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #abortReason: RpcError | undefined = undefined;
  #deadline: unknown = undefined;
  #trailers: Record<string, string> | undefined = undefined;
  #isCalled = false;
  #isStarted = false;
  #isAnswered = false;
  /** Received and not granted again, because the handler is behind. */
  #heldBytes = 0;
  #onDrain: (() => void)[] | undefined = undefined;

  constructor(stream: Http2Stream, plan: CallPlan, setup: CallSetup) {
    this.#stream = stream;
    this.#plan = plan;
    this.#setup = setup;
  }

  get path(): string {
    return this.#plan.head.path;
  }

  get metadata(): Metadata {
    return metadataFromHeaders(this.#plan.head.headers);
  }

  header(name: string): string | undefined {
    return this.#plan.head.headers[name];
  }

  get peer(): string {
    const { remoteAddress: host, remotePort } = this.#setup.socket;
    if (host === undefined) return "@";
    return `${host.includes(":") ? `[${host}]` : host}:${remotePort}`;
  }

  get peerCommonName(): string | undefined {
    const socket = this.#setup.socket as TLSSocket;
    if (socket.authorized !== true) return undefined;
    const name = socket.getPeerCertificate().subject?.CN;
    return Array.isArray(name) ? name[0] : name;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#abortReason !== undefined) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  get requests(): AsyncIterable<unknown> {
    return this.#queue!;
  }

  forEachRequest(take: (request: unknown) => void | Promise<void>): Promise<void> {
    return this.#queue!.forEach(take);
  }

  async first(): Promise<unknown> {
    const next = await this.#queue!.next();
    if (next.done) throw new RpcError(codes.INTERNAL, "grpc: the call carries no request");
    return next.value;
  }

  sendHeaders(metadata: Metadata): void {
    if (this.#isStarted || this.#stream.isClosed) return;
    this.#isStarted = true;
    const { blocks } = this.#stream.owner;
    const custom = Object.entries(metadataToHeaders(metadata));
    const block =
      custom.length === 0
        ? blocks.head()
        : blocks.fields([[":status", "200"], ["content-type", "application/grpc"], ...custom]);
    this.#stream.headers(block, false);
  }

  setTrailers(metadata: Metadata): void {
    this.#trailers = metadataToHeaders(metadata);
  }

  write(message: Init<unknown>): boolean {
    if (this.#isAnswered || this.#stream.isClosed) return true;
    if (message instanceof Pieces) return this.#writePieces(message);
    const frame = this.#frame(message);
    if (!this.#isStarted) this.sendHeaders({});
    if (frame.bytes.length - frame.position < surrenderBytes) {
      return this.#stream.data(frame.bytes, frame.position, frame.bytes.length);
    }
    const { bytes, position } = frame.surrender();
    return this.#stream.data(bytes, position, bytes.length, true);
  }

  /** Nothing of them is copied, however long they wait. */
  #writePieces(message: Pieces): boolean {
    const { sizeBytes, pieces } = message;
    this.#checkSize(sizeBytes);
    if (!this.#isStarted) this.sendHeaders({});
    const head = Buffer.alloc(frameHeaderBytes);
    head.writeUInt32BE(sizeBytes, 1);
    let isFree = this.#stream.data(head, 0, head.length, true);
    for (const piece of pieces) isFree = this.#stream.data(piece, 0, piece.length, true);
    return isFree;
  }

  drained(): Promise<void> {
    if (!this.#stream.hasWaiting || this.#stream.isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrain ??= [];
      this.#onDrain.push(resolve);
    });
  }

  start(): void {
    const { clientStreaming, serverStreaming } = this.#plan.route.method;
    if (clientStreaming || serverStreaming) this.#startStreaming(serverStreaming);
  }

  #startStreaming(serverStreaming: boolean): void {
    this.#armDeadline();
    this.#queue = new MessageQueue<unknown>({ onDrain: () => this.#grant() });
    if (serverStreaming) this.#runStream();
    else this.#run(this);
  }

  #armDeadline(): void {
    const { timeoutMs } = this.#plan;
    if (timeoutMs === undefined || this.#deadline !== undefined) return;
    this.#deadline = this.#setup.clock.setTimeout(() => {
      this.fail(new RpcError(codes.DEADLINE_EXCEEDED, "context deadline exceeded"));
    }, timeoutMs);
  }

  data(bytes: Buffer): void {
    if (this.#isAnswered) return;
    try {
      const payload =
        this.#parser === undefined ? onlyMessage(bytes, this.#setup.limits) : undefined;
      if (payload !== undefined) this.#deliver(this.#decode(payload));
      else this.#parse(bytes);
    } catch (error) {
      this.#queue?.fail(error);
      this.fail(toRpcError(error));
    }
    if (this.#queue === undefined || !this.#queue.isFull) this.#stream.consumed(bytes.length);
    else this.#heldBytes += bytes.length;
  }

  #parse(bytes: Buffer): void {
    this.#parser ??= new FrameParser(this.#setup.limits.receiveMaxBytes);
    const encoding = this.#plan.head.headers["grpc-encoding"];
    const sizeMax = this.#setup.limits.receiveMaxBytes;
    for (const frame of this.#parser.push(bytes)) {
      const payload = framePayload(frame, { encoding, sizeMax, isServer: true });
      this.#deliver(this.#decode(payload));
    }
  }

  #deliver(request: unknown): void {
    if (this.#queue !== undefined) this.#queue.push(request);
    else if (!this.#isCalled) {
      this.#isCalled = true;
      this.#run(request, this);
    }
  }

  #grant(): void {
    const count = this.#heldBytes;
    this.#heldBytes = 0;
    this.#stream.consumed(count);
  }

  end(): void {
    if (this.#queue !== undefined) {
      // Less than a message's head is nothing, as in grpc-go.
      if (this.#parser?.isInMessage !== true) this.#queue.end();
      else this.#queue.fail(new RpcError(codes.INTERNAL, "unexpected EOF"));
    } else if (!this.#isCalled && !this.#isAnswered) {
      const text = this.#parser?.isInMessage === true ? "unexpected EOF" : "EOF";
      this.fail(new RpcError(codes.UNKNOWN, text));
    }
  }

  #decode(payload: Buffer): unknown {
    if (this.#queue === undefined) this.requestBytes = payload;
    this.#setup.limits.traffic.received += payload.length;
    try {
      return this.#plan.route.method.request.decode(payload);
    } catch (error) {
      const text = `grpc: error unmarshalling request: ${(error as Error).message}`;
      throw new RpcError(codes.INTERNAL, text);
    }
  }

  #frame(message: Init<unknown>): Writer {
    const frame = this.#plan.route.method.response.writeFrame(message);
    this.#checkSize(frame.bytes.length - frame.position - frameHeaderBytes);
    return frame;
  }

  #checkSize(size: number): void {
    const { sendMaxBytes, traffic } = this.#setup.limits;
    traffic.sent += size;
    if (size <= sendMaxBytes) return;
    const text = `grpc: trying to send message larger than max (${size} vs. ${sendMaxBytes})`;
    throw new RpcError(codes.RESOURCE_EXHAUSTED, text);
  }

  /** Calls a handler that gives one response, now or later. */
  #run(...args: unknown[]): void {
    try {
      const result = (this.#plan.route.handler as unknown as Handler)(...args);
      if (result instanceof Promise) {
        this.#armDeadline();
        result.then(
          (message) => this.#answer(message),
          (error) => this.fail(toRpcError(error)),
        );
      } else this.#answer(result);
    } catch (error) {
      this.fail(toRpcError(error));
    }
  }

  async #runStream(): Promise<void> {
    try {
      await (this.#plan.route.handler as unknown as Handler)(this);
      this.#finish();
    } catch (error) {
      this.fail(toRpcError(error));
    }
  }

  #answer(message: unknown): void {
    if (this.#isAnswered || this.#stream.isClosed) return;
    try {
      this.write(message as Init<unknown>);
      this.#finish();
    } catch (error) {
      this.fail(toRpcError(error));
    }
  }

  #finish(): void {
    if (this.#isAnswered || this.#stream.isClosed) return;
    if (!this.#isStarted) this.sendHeaders({});
    const custom = this.#trailers === undefined ? [] : Object.entries(this.#trailers);
    this.#end(custom.length === 0 ? "ok" : [["grpc-status", "0"], ...custom]);
  }

  /** Ends the call with a status; the first one counts. */
  fail(error: RpcError): void {
    this.#aborted(error);
    if (this.#isAnswered || this.#stream.isClosed) return;
    const status: [string, string][] = [
      ["grpc-status", String(error.code)],
      ["grpc-message", encodeMessage(error.details)],
      ...Object.entries(this.#trailers ?? {}),
    ];
    if (this.#isStarted) this.#end(status);
    else {
      this.#disarm();
      const head = this.#stream.owner.blocks.fields([...okHead, ...status]);
      this.#stream.headers(head, true);
    }
  }

  #end(trailers: Trailers): void {
    this.#disarm();
    this.#stream.trailers(trailers);
    this.#aborted(canceled);
  }

  #disarm(): void {
    this.#isAnswered = true;
    if (this.#deadline !== undefined) this.#setup.clock.clearTimeout(this.#deadline as never);
  }

  closed(): void {
    this.#disarm();
    this.#aborted(canceled);
    this.caughtUp();
  }

  /** The stream took what waited. */
  caughtUp(): void {
    const waiting = this.#onDrain;
    this.#onDrain = undefined;
    if (waiting !== undefined) for (const resolve of waiting) resolve();
  }

  #aborted(reason: RpcError): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#queue?.fail(reason);
    this.#abort?.abort(reason);
  }
}

const okHead: readonly [string, string][] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];

/** One for all calls: it comes from the peer, so a stack of its own would tell nothing and cost most. */
const canceled = new RpcError(codes.CANCELLED, "context canceled");

/** The payload, when the bytes are one whole, plain message: nearly always. */
function onlyMessage(bytes: Buffer, { receiveMaxBytes }: CallLimits): Buffer | undefined {
  if (bytes.length < frameHeaderBytes || bytes[0] !== 0) return undefined;
  const size = bytes.readUInt32BE(1);
  if (size !== bytes.length - frameHeaderBytes || size > receiveMaxBytes) return undefined;
  return bytes.subarray(frameHeaderBytes);
}
