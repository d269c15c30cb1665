/**
 * One call on the client, carried by one HTTP/2 stream.
 *
 * The status comes in trailers, or in the headers when the server failed before its first message;
 * a stream that ends without one says by its reset code (or the lost connection) what happened.
 * Source  gRPC over HTTP2; google.golang.org/grpc internal/transport/http2_client.go
 */
import type { CallOptions } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import { FrameParser } from "../core/frame.ts";
import type { AnswerFields, AnswerSink, ClientStream } from "../core/http2-client.ts";
import { http2Error } from "../core/http2-codes.ts";
import { type Metadata, metadataFromHeaders, metadataToHeaders } from "../core/metadata.ts";
import type { MethodInfo } from "../core/service.ts";
import { codeOfHttpStatus, codes, decodeMessage, RpcError } from "../core/status.ts";
import { formatTimeout } from "../core/timeout.ts";
import { framePayload } from "./compression.ts";
import type { ClientSession } from "./http2-socket.ts";

export interface CallEvents {
  headers(metadata: Metadata): void;
  /** False pauses the stream until `resume()`. */
  message(message: unknown): boolean;
  /** What waited to be sent has left. */
  drained(): void;
  /** Once, at the end: undefined is OK. */
  end(error: RpcError | undefined): void;
}

export interface CallSettings {
  readonly clock: RpcClock;
  readonly receiveMaxBytes: number;
  readonly userAgent: string;
  /** What `:authority` and `:scheme` say. */
  readonly authority: string;
  readonly scheme: "http" | "https";
}

export class ClientCall implements AnswerSink {
  readonly #method: MethodInfo<unknown, unknown>;
  readonly #options: CallOptions;
  readonly #settings: CallSettings;
  readonly #events: CallEvents;
  readonly #parser: FrameParser;
  #stream: ClientStream | undefined;
  #encoding: string | undefined;
  #hasHeaders = false;
  #status: RpcError | "ok" | undefined;
  #isEnded = false;
  #hasFinished = false;
  #isPaused = false;
  /** Received while paused: the server may not send as much again before it is taken. */
  #untaken = 0;
  #deadline: unknown;
  #onAbort: (() => void) | undefined;

  constructor(
    method: MethodInfo<unknown, unknown>,
    options: CallOptions,
    settings: CallSettings,
    events: CallEvents,
  ) {
    this.#method = method;
    this.#options = options;
    this.#settings = settings;
    this.#events = events;
    this.#parser = new FrameParser(settings.receiveMaxBytes);
    if (options.signal !== undefined) {
      this.#onAbort = () => this.cancel();
      options.signal.addEventListener("abort", this.#onAbort);
    }
    if (options.timeoutMs !== undefined) {
      const expire = () =>
        this.cancel(new RpcError(codes.DEADLINE_EXCEEDED, "context deadline exceeded"));
      this.#deadline = settings.clock.setTimeout(expire, options.timeoutMs);
    }
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isStarted(): boolean {
    return this.#stream !== undefined;
  }

  /** So much waits that the caller should too. */
  get needsDrain(): boolean {
    return this.#stream?.hasWaiting ?? false;
  }

  /** The server has certainly not seen the call: it may be made again on another connection. */
  get isUnprocessed(): boolean {
    return !this.#hasHeaders && this.#stream?.resetCode === http2Error.refusedStream;
  }

  start(session: ClientSession): void {
    const { timeoutMs, metadata } = this.#options;
    const { scheme, authority, userAgent } = this.#settings;
    const often: [string, string][] = [
      [":method", "POST"],
      [":scheme", scheme],
      [":path", this.#method.path],
      [":authority", authority],
      ["content-type", "application/grpc"],
      ["te", "trailers"],
      ["user-agent", userAgent],
      ["grpc-accept-encoding", "identity,gzip"],
    ];
    const others = metadata === undefined ? [] : Object.entries(metadataToHeaders(metadata));
    if (timeoutMs !== undefined) others.push(["grpc-timeout", formatTimeout(timeoutMs)]);
    this.#stream = session.open(often, others, this);
  }

  /** False: wait for `caughtUp`. */
  write(frame: Buffer): boolean {
    return this.#stream?.data(frame, 0, frame.length, true) ?? true;
  }

  /** No more requests. */
  finish(frame?: Buffer): void {
    this.#hasFinished = true;
    if (frame === undefined) this.#stream?.endData();
    else this.#stream?.wholeBody(frame);
  }

  /** Messages are taken again. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const count = this.#untaken;
    this.#untaken = 0;
    if (count > 0) this.#stream?.consumed(count);
  }

  cancel(error = new RpcError(codes.CANCELLED, "context canceled")): void {
    this.#stream?.reset(http2Error.cancel);
    this.#end(error);
  }

  fail(error: RpcError): void {
    this.#end(error);
  }

  head(fields: AnswerFields): void {
    this.#gotHeaders(fields);
  }

  trailers(fields: AnswerFields): void {
    this.#gotStatus(fields);
  }

  data(bytes: Buffer): void {
    this.#gotData(bytes);
    if (this.#isPaused) this.#untaken += bytes.length;
    else this.#stream?.consumed(bytes.length);
  }

  end(): void {
    this.#end(this.#status ?? new RpcError(codes.UNAVAILABLE, lostText));
  }

  closed(): void {
    this.#end(this.#status ?? lostStream(this.#stream?.resetCode));
  }

  caughtUp(): void {
    this.#events.drained();
  }

  #gotHeaders(headers: AnswerFields): void {
    this.#hasHeaders = true;
    this.#encoding = headers["grpc-encoding"];
    if (headers["grpc-status"] !== undefined) {
      this.#gotStatus(headers);
      return;
    }
    const status = Number(headers[":status"]);
    const contentType = String(headers["content-type"] ?? "");
    if (status !== 200 || !contentType.startsWith("application/grpc")) {
      const code = status === 200 ? codes.UNKNOWN : codeOfHttpStatus(status);
      const what = `unexpected HTTP status code received from server: ${status}`;
      const type = `transport: received unexpected content-type ${JSON.stringify(contentType)}`;
      this.#status = new RpcError(code, status === 200 ? type : `${what}; ${type}`);
      return;
    }
    this.#events.headers(metadataFromHeaders(headers));
  }

  #gotStatus(headers: AnswerFields): void {
    const code = Number(headers["grpc-status"]);
    if (code === 0) this.#status = "ok";
    else if (Number.isInteger(code)) {
      this.#status = new RpcError(code, decodeMessage(String(headers["grpc-message"] ?? "")));
    } else {
      const text = `transport: malformed grpc-status: ${headers["grpc-status"]}`;
      this.#status = new RpcError(codes.INTERNAL, text);
    }
  }

  #gotData(chunk: Buffer): void {
    if (this.#isEnded || this.#status instanceof RpcError) return;
    try {
      for (const frame of this.#parser.push(chunk)) {
        const payload = framePayload(frame, {
          encoding: this.#encoding,
          sizeMax: this.#settings.receiveMaxBytes,
          isServer: false,
        });
        if (!this.#events.message(this.#decode(payload))) this.#isPaused = true;
      }
    } catch (error) {
      this.cancel(error as RpcError);
    }
  }

  #decode(payload: Buffer): unknown {
    try {
      return this.#method.response.decode(payload);
    } catch (error) {
      const text = `grpc: failed to unmarshal the received message: ${(error as Error).message}`;
      throw new RpcError(codes.INTERNAL, text);
    }
  }

  #end(status: RpcError | "ok"): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#deadline !== undefined) this.#settings.clock.clearTimeout(this.#deadline as never);
    if (this.#onAbort) this.#options.signal?.removeEventListener("abort", this.#onAbort);
    // A server may answer before it has read everything: the rest need not be sent.
    if (!this.#hasFinished || status !== "ok") this.#stream?.reset(http2Error.cancel);
    if (status === "ok" && !this.#parser.isEmpty) {
      this.#events.end(new RpcError(codes.INTERNAL, "unexpected EOF"));
    } else this.#events.end(status === "ok" ? undefined : status);
  }
}

const lostText = "error reading from server: EOF";
const resetCodes: Readonly<Record<number, number>> = {
  [http2Error.refusedStream]: codes.UNAVAILABLE,
  [http2Error.cancel]: codes.CANCELLED,
  [http2Error.enhanceYourCalm]: codes.RESOURCE_EXHAUSTED,
  [http2Error.inadequateSecurity]: codes.PERMISSION_DENIED,
};
/** As RFC 9113 writes them. */
const resetNames: Readonly<Record<number, string>> = {
  [http2Error.protocol]: "PROTOCOL_ERROR",
  [http2Error.internal]: "INTERNAL_ERROR",
  [http2Error.flowControl]: "FLOW_CONTROL_ERROR",
  [http2Error.settingsTimeout]: "SETTINGS_TIMEOUT",
  [http2Error.streamClosed]: "STREAM_CLOSED",
  [http2Error.frameSize]: "FRAME_SIZE_ERROR",
  [http2Error.refusedStream]: "REFUSED_STREAM",
  [http2Error.cancel]: "CANCEL",
  [http2Error.compression]: "COMPRESSION_ERROR",
  [http2Error.connect]: "CONNECT_ERROR",
  [http2Error.enhanceYourCalm]: "ENHANCE_YOUR_CALM",
  [http2Error.inadequateSecurity]: "INADEQUATE_SECURITY",
};

function lostStream(resetCode: number | undefined): RpcError {
  if (resetCode === undefined || resetCode === http2Error.noError) {
    return new RpcError(codes.UNAVAILABLE, lostText);
  }
  const code = resetCodes[resetCode] ?? codes.INTERNAL;
  const name = resetNames[resetCode] ?? String(resetCode);
  return new RpcError(code, `stream terminated by RST_STREAM with error code: ${name}`);
}
