/**
 * One call on the client, carried by one HTTP/2 stream.
 *
 * The status comes in trailers, or in the headers when the server failed before its first message;
 * a stream that ends without one says by its reset code (or the lost connection) what happened.
 * Source  gRPC over HTTP2; google.golang.org/grpc internal/transport/http2_client.go
 */
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import type { CallOptions } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import { FrameParser } from "../core/frame.ts";
import { type Metadata, metadataFromHeaders, metadataToHeaders } from "../core/metadata.ts";
import type { MethodInfo } from "../core/service.ts";
import { codeOfHttpStatus, codes, decodeMessage, RpcError } from "../core/status.ts";
import { formatTimeout } from "../core/timeout.ts";
import { framePayload } from "./compression.ts";

export interface CallEvents {
  headers(metadata: Metadata): void;
  /** False pauses the stream until `resume()`. */
  message(message: unknown): boolean;
  /** Once, at the end: undefined is OK. */
  end(error: RpcError | undefined): void;
}

export interface CallSettings {
  readonly clock: RpcClock;
  readonly receiveMaxBytes: number;
  readonly userAgent: string;
}

type Headers = Record<string, string | string[] | number | undefined>;

export class ClientCall {
  readonly #method: MethodInfo<unknown, unknown>;
  readonly #options: CallOptions;
  readonly #settings: CallSettings;
  readonly #events: CallEvents;
  readonly #parser: FrameParser;
  #stream: ClientHttp2Stream | undefined;
  #encoding: string | undefined;
  #hasHeaders = false;
  #status: RpcError | "ok" | undefined;
  #isEnded = false;
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

  get stream(): ClientHttp2Stream | undefined {
    return this.#stream;
  }

  /** The server has certainly not seen the call: it may be made again on another connection. */
  get isUnprocessed(): boolean {
    return !this.#hasHeaders && this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM;
  }

  start(session: ClientHttp2Session): ClientHttp2Stream {
    const { timeoutMs, metadata } = this.#options;
    const headers: Record<string, string> = {
      ":method": "POST",
      ":path": this.#method.path,
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": this.#settings.userAgent,
      "grpc-accept-encoding": "identity,gzip",
    };
    if (timeoutMs !== undefined) headers["grpc-timeout"] = formatTimeout(timeoutMs);
    if (metadata !== undefined) Object.assign(headers, metadataToHeaders(metadata));
    const stream = session.request(headers, { endStream: false });
    holdProcess(session, stream);
    this.#stream = stream;
    stream.on("response", (received) => this.#gotHeaders(received as Headers));
    stream.on("data", (chunk: Buffer) => this.#gotData(chunk));
    stream.on("trailers", (received) => this.#gotStatus(received as Headers));
    stream.on("end", () => {
      if (this.#status !== undefined) this.#end(this.#status);
    });
    stream.on("error", () => {}); // "close" follows.
    stream.on("close", () => this.#end(this.#status ?? lostStream(stream)));
    return stream;
  }

  cancel(error = new RpcError(codes.CANCELLED, "context canceled")): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#end(error);
  }

  fail(error: RpcError): void {
    this.#end(error);
  }

  #gotHeaders(headers: Headers): void {
    this.#hasHeaders = true;
    this.#encoding = headers["grpc-encoding"] as string | undefined;
    if (headers["grpc-status"] !== undefined) {
      this.#gotStatus(headers);
      return;
    }
    const status = headers[":status"] as number;
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

  #gotStatus(headers: Headers): void {
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
        if (!this.#events.message(this.#decode(payload))) this.#stream?.pause();
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
    const stream = this.#stream;
    // A server may answer before it has read everything: the rest need not be sent.
    if (stream !== undefined && !stream.closed && !stream.writableEnded) stream.close();
    if (status === "ok" && !this.#parser.isEmpty) {
      this.#events.end(new RpcError(codes.INTERNAL, "unexpected EOF"));
    } else this.#events.end(status === "ok" ? undefined : status);
  }
}

const resetCodes: Readonly<Record<number, number>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: codes.UNAVAILABLE,
  [constants.NGHTTP2_CANCEL]: codes.CANCELLED,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: codes.RESOURCE_EXHAUSTED,
  [constants.NGHTTP2_INADEQUATE_SECURITY]: codes.PERMISSION_DENIED,
};

function lostStream(stream: ClientHttp2Stream): RpcError {
  const session = stream.session;
  if (session === undefined || session.destroyed || session.closed || stream.rstCode === 0) {
    return new RpcError(codes.UNAVAILABLE, "error reading from server: EOF");
  }
  const code = resetCodes[stream.rstCode] ?? codes.INTERNAL;
  const name = Object.entries(constants).find(
    ([key, value]) => key.startsWith("NGHTTP2_") && value === stream.rstCode,
  )?.[0];
  const text = name?.replace("NGHTTP2_", "") ?? String(stream.rstCode);
  return new RpcError(code, `stream terminated by RST_STREAM with error code: ${text}`);
}

const underWay = new WeakMap<ClientHttp2Session, number>();

/** A call under way keeps the process alive; a connection that idles does not. */
function holdProcess(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
  const count = underWay.get(session) ?? 0;
  if (count === 0) session.ref();
  underWay.set(session, count + 1);
  stream.once("close", () => {
    const left = underWay.get(session)! - 1;
    underWay.set(session, left);
    if (left === 0 && !session.destroyed) session.unref();
  });
}
