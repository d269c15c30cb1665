/**
 * What handlers and callers see of a call, whatever carries it.
 *
 * Units   timeoutMs, deadlineMs: milliseconds; deadlineMs is on the clock of `now()`
 */
import type { Init } from "./codec.ts";
import type { Metadata } from "./metadata.ts";
import type { MethodInfo, ServiceInfo } from "./service.ts";

export interface ServerCall {
  /** The :path, `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Metadata;
  /** One value of the metadata, without making all of it. */
  header(name: string): string | undefined;
  /** The other end: `10.0.0.1:4321`, `@` for a unix socket, `memory`. */
  readonly peer: string;
  /** Common name of the client's verified certificate, when it showed one. */
  readonly peerCommonName: string | undefined;
  /** What the one request of a call was decoded from; nobody writes there again. */
  readonly requestBytes?: Buffer | undefined;
  /** Aborted when the caller cancels, disconnects, or its deadline passes. */
  readonly signal: AbortSignal;
  /** Response metadata; before the first message. */
  sendHeaders(metadata: Metadata): void;
  /** Metadata that goes out with the status. */
  setTrailers(metadata: Metadata): void;
}

export interface ServerStream<I, O> extends ServerCall {
  readonly requests: AsyncIterable<I>;
  /** The same without a promise a request: resolves when the client says no more. */
  forEachRequest(take: (request: I) => void | Promise<void>): Promise<void>;
  /** The first request: all there is when only the server streams. */
  first(): Promise<I>;
  /** False means: enough is under way, wait for `drained()`; writing on costs memory only. */
  write(message: Init<O>): boolean;
  drained(): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly metadata?: Metadata | undefined;
  /** Wait for a connection instead of failing while there is none. */
  readonly waitForReady?: boolean | undefined;
}

export interface ClientStream<I, O> {
  write(message: Init<I>): boolean;
  drained(): Promise<void>;
  /** No more requests. */
  end(): void;
  readonly responses: AsyncIterable<O>;
  cancel(): void;
  /** Resolves when the server's first headers are there. */
  readonly headers: Promise<Metadata>;
}

/** A connection that has left HTTP: bytes, both ways. A socket is one. */
export interface ByteStream {
  /** False means: enough is under way, wait for "drain". */
  write(bytes: Uint8Array): boolean;
  /** Between these two, writes wait and then leave together. */
  cork(): void;
  uncork(): void;
  /** Bytes that wait to be sent. */
  readonly writableLength: number;
  on(event: "data", listener: (bytes: Buffer) => void): unknown;
  on(event: "close" | "drain" | "end", listener: () => void): unknown;
  destroy(): unknown;
}

export interface UpgradeOptions {
  readonly protocol: string;
  readonly path?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs?: number | undefined;
}

/** One connection, or what stands for one: calls go through it. */
export interface Channel {
  unary<I, O>(method: MethodInfo<I, O>, request: Init<I>, options?: CallOptions): Promise<O>;
  stream<I, O>(method: MethodInfo<I, O>, options?: CallOptions): ClientStream<I, O>;
  /** A connection beside it, for another protocol (HTTP/1.1 Upgrade). */
  upgrade(options: UpgradeOptions): Promise<ByteStream>;
  close(): void;
}

export type UnaryHandler<I, O> = (request: I, call: ServerCall) => Init<O> | Promise<Init<O>>;
export type ClientStreamHandler<I, O> = (call: ServerStream<I, O>) => Promise<Init<O>>;
export type StreamHandler<I, O> = (call: ServerStream<I, O>) => Promise<void> | void;

export type HandlerOf<M> =
  M extends MethodInfo<infer I, infer O, infer C, infer S>
    ? S extends true
      ? StreamHandler<I, O>
      : C extends true
        ? ClientStreamHandler<I, O>
        : UnaryHandler<I, O>
    : never;

/** Methods left out answer UNIMPLEMENTED. */
export type Handlers<S extends ServiceInfo> = {
  readonly [K in keyof S["methods"]]?: HandlerOf<S["methods"][K]>;
};

export type ClientMethod<M> =
  M extends MethodInfo<infer I, infer O, infer C, infer S>
    ? S extends true
      ? C extends true
        ? (options?: CallOptions) => ClientStream<I, O>
        : (request: Init<I>, options?: CallOptions) => ClientStream<I, O>
      : C extends true
        ? (options?: CallOptions) => ClientStream<I, O>
        : (request: Init<I>, options?: CallOptions) => Promise<O>
    : never;

export type Client<S extends ServiceInfo> = {
  readonly [K in keyof S["methods"]]: ClientMethod<S["methods"][K]>;
};

/**
 * A typed object of a service's methods over a channel: `createClient(channel, etcd.KV).range(…)`.
 * A method where only the server streams takes the request and gives the stream of responses.
 */
export function createClient<S extends ServiceInfo>(channel: Channel, service: S): Client<S> {
  const client: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(service.methods)) {
    if (!method.serverStreaming && !method.clientStreaming) {
      client[name] = (request: unknown, options?: CallOptions) =>
        channel.unary(method, request, options);
    } else if (method.clientStreaming) {
      client[name] = (options?: CallOptions) => channel.stream(method, options);
    } else {
      client[name] = (request: unknown, options?: CallOptions) => {
        const stream = channel.stream(method, options);
        stream.write(request);
        stream.end();
        return stream;
      };
    }
  }
  return client as Client<S>;
}
