/**
 * One call on the server, carried by one HTTP/2 stream.
 *
 * The stream's headers name the method; frames of its body are the requests. The answer is headers,
 * frames, and trailers with the status; a failure before the first message is headers alone
 * ("trailers-only"). Whatever ends the stream early aborts `signal`.
 * Source  gRPC over HTTP2; google.golang.org/grpc internal/transport/http2_server.go
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { ServerStream } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import type { Init } from "../core/codec.ts";
import { FrameParser } from "../core/frame.ts";
import { MessageQueue } from "../core/message-queue.ts";
import { type Metadata, metadataFromHeaders, metadataToHeaders } from "../core/metadata.ts";
import type { AnyHandler, Route } from "../core/router.ts";
import { codes, encodeMessage, RpcError, toRpcError } from "../core/status.ts";
import { parseTimeout } from "../core/timeout.ts";
import { type Decompression, framePayload } from "./compression.ts";

export interface CallLimits {
  readonly receiveMaxBytes: number;
  readonly sendMaxBytes: number;
}

interface CallSetup {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly route: Route;
  readonly clock: RpcClock;
  readonly limits: CallLimits;
}

const okHeaders = { ":status": 200, "content-type": "application/grpc" } as const;
const noDate = { sendDate: false } as const;
const okTrailers = { "grpc-status": "0" } as const;

const ignore = () => {};

export class Http2Call implements ServerStream<unknown, unknown> {
  readonly path: string;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #route: Route;
  readonly #clock: RpcClock;
  readonly #limits: CallLimits;
  readonly #parser: FrameParser;
  readonly #decompression: Decompression;
  #queue: MessageQueue<unknown> | undefined;
  #metadata: Metadata | undefined;
  #abort: AbortController | undefined;
  #abortReason: RpcError | undefined;
  #deadline: unknown;
  #trailers: Record<string, string> | undefined;
  #isStarted = false;
  #isAnswered = false;

  constructor({ stream, headers, route, clock, limits }: CallSetup) {
    this.path = headers[":path"] as string;
    this.#stream = stream;
    this.#headers = headers;
    this.#route = route;
    this.#clock = clock;
    this.#limits = limits;
    this.#parser = new FrameParser(limits.receiveMaxBytes);
    this.#decompression = {
      encoding: headers["grpc-encoding"] as string | undefined,
      sizeMax: limits.receiveMaxBytes,
      isServer: true,
    };
  }

  get metadata(): Metadata {
    this.#metadata ??= metadataFromHeaders(this.#headers);
    return this.#metadata;
  }

  get peer(): string {
    const socket = this.#stream.session?.socket;
    if (socket?.remoteAddress === undefined) return "@";
    const host = socket.remoteAddress;
    return `${host.includes(":") ? `[${host}]` : host}:${socket.remotePort}`;
  }

  get peerCommonName(): string | undefined {
    const socket = this.#stream.session?.socket as TLSSocket | undefined;
    if (socket?.authorized !== true) return undefined;
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

  async first(): Promise<unknown> {
    const next = await this.#queue!.next();
    if (next.done) throw new RpcError(codes.INTERNAL, "grpc: the call carries no request");
    return next.value;
  }

  sendHeaders(metadata: Metadata): void {
    if (this.#isStarted || this.#stream.destroyed) return;
    this.#isStarted = true;
    const headers = { ...okHeaders, ...metadataToHeaders(metadata) };
    this.#stream.respond(headers, { ...noDate, waitForTrailers: true });
  }

  setTrailers(metadata: Metadata): void {
    this.#trailers = metadataToHeaders(metadata);
  }

  write(message: Init<unknown>): boolean {
    if (this.#isAnswered || this.#stream.destroyed) return true;
    this.sendHeaders({});
    return this.#stream.write(this.#frame(message));
  }

  drained(): Promise<void> {
    if (!this.#stream.writableNeedDrain || this.#stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.off("drain", done);
        this.#stream.off("close", done);
        resolve();
      };
      this.#stream.on("drain", done);
      this.#stream.on("close", done);
    });
  }

  start(): void {
    const timeout = this.#headers["grpc-timeout"] as string | undefined;
    if (timeout !== undefined) this.#armDeadline(timeout);
    this.#stream.on("error", ignore); // "close" follows and says what it means.
    this.#stream.on("close", () => this.#closed());
    const { clientStreaming, serverStreaming } = this.#route.method;
    if (clientStreaming || serverStreaming) this.#startStreaming(serverStreaming);
    else this.#startUnary();
  }

  #armDeadline(timeout: string): void {
    const timeoutMs = parseTimeout(timeout);
    if (timeoutMs === undefined) {
      this.fail(new RpcError(codes.INTERNAL, `malformed grpc-timeout: ${timeout}`));
      return;
    }
    this.#deadline = this.#clock.setTimeout(() => {
      this.fail(new RpcError(codes.DEADLINE_EXCEEDED, "context deadline exceeded"));
    }, timeoutMs);
  }

  #startUnary(): void {
    let isCalled = false;
    this.#stream.on("data", (chunk: Buffer) => {
      if (isCalled || this.#isAnswered) return;
      this.#receive(chunk, (request) => {
        if (isCalled) return;
        isCalled = true;
        this.#run(request, this);
      });
    });
    this.#stream.on("end", () => {
      if (isCalled || this.#isAnswered) return;
      const text = this.#parser.isEmpty ? "grpc: the call carries no request" : "unexpected EOF";
      this.fail(new RpcError(codes.INTERNAL, text));
    });
  }

  #startStreaming(serverStreaming: boolean): void {
    const stream = this.#stream;
    const queue = new MessageQueue<unknown>({ onDrain: () => stream.resume() });
    this.#queue = queue;
    stream.on("data", (chunk: Buffer) => {
      if (this.#isAnswered) return;
      this.#receive(chunk, (request) => {
        if (!queue.push(request)) stream.pause();
      });
    });
    stream.on("end", () => {
      if (this.#parser.isEmpty) queue.end();
      else queue.fail(new RpcError(codes.INTERNAL, "unexpected EOF"));
    });
    if (serverStreaming) this.#runStream();
    else this.#run(this);
  }

  #receive(chunk: Buffer, deliver: (request: unknown) => void): void {
    try {
      for (const frame of this.#parser.push(chunk)) {
        deliver(this.#decode(framePayload(frame, this.#decompression)));
      }
    } catch (error) {
      this.#queue?.fail(error);
      this.fail(toRpcError(error));
    }
  }

  #decode(payload: Buffer): unknown {
    try {
      return this.#route.method.request.decode(payload);
    } catch (error) {
      const text = `grpc: error unmarshalling request: ${(error as Error).message}`;
      throw new RpcError(codes.INTERNAL, text);
    }
  }

  #frame(message: Init<unknown>): Buffer {
    const frame = this.#route.method.response.encodeFrame(message);
    const size = frame.length - 5;
    if (size > this.#limits.sendMaxBytes) {
      const sizes = `${size} vs. ${this.#limits.sendMaxBytes}`;
      const text = `grpc: trying to send message larger than max (${sizes})`;
      throw new RpcError(codes.RESOURCE_EXHAUSTED, text);
    }
    return frame;
  }

  /** Calls a handler that gives one response, now or later. */
  #run(...args: unknown[]): void {
    try {
      const result = (this.#route.handler as unknown as (...args: unknown[]) => unknown)(...args);
      if (result instanceof Promise) {
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
      await (this.#route.handler as AnyHandler as (call: unknown) => unknown)(this);
      this.#finish(undefined);
    } catch (error) {
      this.fail(toRpcError(error));
    }
  }

  #answer(message: unknown): void {
    if (this.#isAnswered || this.#stream.destroyed) return;
    try {
      const frame = this.#frame(message as Init<unknown>);
      this.#finish(frame);
    } catch (error) {
      this.fail(toRpcError(error));
    }
  }

  #finish(frame: Buffer | undefined): void {
    if (this.#isAnswered || this.#stream.destroyed) return;
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#stream.respond(okHeaders, { ...noDate, waitForTrailers: true });
    }
    this.#end({ ...okTrailers, ...this.#trailers }, frame);
  }

  /** Ends the call with a status; the first one counts. */
  fail(error: RpcError): void {
    this.#aborted(error);
    if (this.#isAnswered || this.#stream.destroyed) return;
    const status = {
      "grpc-status": String(error.code),
      "grpc-message": encodeMessage(error.details),
      ...this.#trailers,
    };
    if (this.#isStarted) {
      this.#end(status, undefined);
      return;
    }
    this.#isAnswered = true;
    this.#stream.respond({ ...okHeaders, ...status }, { ...noDate, endStream: true });
    this.#stream.resume();
  }

  #end(trailers: Record<string, string>, frame: Buffer | undefined): void {
    this.#isAnswered = true;
    this.#stream.on("wantTrailers", () => this.#stream.sendTrailers(trailers));
    if (frame === undefined) this.#stream.end();
    else this.#stream.end(frame);
    this.#stream.resume(); // What the client still sends is read and dropped.
  }

  #closed(): void {
    if (this.#deadline !== undefined) this.#clock.clearTimeout(this.#deadline as never);
    // Most calls end answered and unobserved: an error (and its stack) is made only if seen.
    const isSeen = this.#abort !== undefined || this.#queue !== undefined;
    if (isSeen || !this.#isAnswered) {
      this.#aborted(new RpcError(codes.CANCELLED, "context canceled"));
    }
  }

  #aborted(reason: RpcError): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#queue?.fail(reason);
    this.#abort?.abort(reason);
  }
}
