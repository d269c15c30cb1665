/**
 * A gRPC server: handlers on one side, any number of sockets and in-process channels on the other.
 *
 * `http`, when given, answers plain HTTP requests (HTTP/1.1 and HTTP/2) on the same ports: etcd's
 * /health, /version and /metrics live there.
 */
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Channel, Handlers } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import { Router } from "../core/router.ts";
import type { ServiceInfo } from "../core/service.ts";
import { codes, encodeMessage, RpcError, toRpcError } from "../core/status.ts";
import { unknownEncoding } from "./compression.ts";
import { type CallLimits, Http2Call } from "./http2-call.ts";
import { type ListenAddress, type Listener, type ListenOptions, openListener } from "./listener.ts";
import { createMemoryChannel } from "./memory.ts";
import { type HttpHandler, serveHttp1, serveHttp2 } from "./plain-http.ts";
import { wallClock } from "./wall-clock.ts";

export interface ServerOptions {
  readonly clock?: RpcClock | undefined;
  /** Largest request; grpc-go's default is 4 MiB. */
  readonly receiveMaxBytes?: number | undefined;
  /** Largest response; grpc-go's default is 2^31 - 1. */
  readonly sendMaxBytes?: number | undefined;
  readonly http?: HttpHandler | undefined;
}

export interface RpcServer {
  add<S extends ServiceInfo>(service: S, handlers: Handlers<S>): void;
  listen(options: ListenOptions): Promise<ListenAddress>;
  /** A channel to these handlers inside the process: same calls, no bytes. */
  memory(): Channel;
  /** Ends every call (UNAVAILABLE for the peers) and every socket. */
  close(): Promise<void>;
}

const http2Options = {
  settings: { initialWindowSize: 1 << 20, enablePush: false, maxHeaderListSize: 16 << 20 },
  maxSessionMemory: 4096, // MB; Node's default of 10 cuts sessions with big messages under way.
  // Clients cancel watches and calls as they like; Node's default takes that for an attack.
  streamResetBurst: 1_000_000,
  streamResetRate: 1_000_000,
} as const;

const connectionWindowBytes = 16 << 20;

export function createServer(options: ServerOptions = {}): RpcServer {
  const clock = options.clock ?? wallClock;
  const limits: CallLimits = {
    receiveMaxBytes: options.receiveMaxBytes ?? 4 << 20,
    sendMaxBytes: options.sendMaxBytes ?? 2 ** 31 - 1,
  };
  const router = new Router();
  const sessions = new Set<Http2Session>();
  const listeners = new Set<Listener>();
  const memoryChannels = new Set<Channel>();
  let http2: Http2Server | undefined;
  let http1: HttpServer | undefined;

  const start = (): Http2Server => {
    if (http2 !== undefined) return http2;
    http2 = createHttp2Server(http2Options);
    http2.on("session", (session) => {
      sessions.add(session);
      session.setLocalWindowSize(connectionWindowBytes);
      session.on("error", () => {});
      session.on("close", () => sessions.delete(session));
    });
    http2.on("stream", (stream, headers) => {
      if (options.http !== undefined && !isGrpc(headers)) serveHttp2(options.http, stream, headers);
      else serveStream(stream, headers, { router, clock, limits });
    });
    if (options.http !== undefined) http1 = createHttpServer(serveHttp1(options.http));
    return http2;
  };

  return {
    add: (service, handlers) => router.add(service, handlers),
    async listen(where) {
      const server = start();
      const listener = await openListener(where, server, http1);
      listeners.add(listener);
      return listener.address;
    },
    memory() {
      const channel = createMemoryChannel(router, clock);
      memoryChannels.add(channel);
      return channel;
    },
    async close() {
      for (const channel of memoryChannels) channel.close();
      for (const session of sessions) session.destroy();
      await Promise.all([...listeners].map((listener) => listener.close()));
      listeners.clear();
    },
  };
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  return headers["content-type"]?.startsWith("application/grpc") ?? false;
}

interface Serving {
  readonly router: Router;
  readonly clock: RpcClock;
  readonly limits: CallLimits;
}

function serveStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { router, clock, limits }: Serving,
): void {
  try {
    if (headers[":method"] !== "POST") {
      const what = `Received a HEADERS frame with :method "${headers[":method"]}"`;
      const text = `${what} which should be POST`;
      refuse(stream, new RpcError(codes.INTERNAL, text), 405);
      return;
    }
    if (!isGrpc(headers)) {
      const type = JSON.stringify(headers["content-type"] ?? "");
      const text = `invalid gRPC request content-type ${type}`;
      refuse(stream, new RpcError(codes.INVALID_ARGUMENT, text), 415);
      return;
    }
    const route = router.find(headers[":path"] as string);
    const encoding = headers["grpc-encoding"] as string | undefined;
    if (encoding !== undefined && encoding !== "identity" && encoding !== "gzip") {
      throw unknownEncoding(encoding, true);
    }
    new Http2Call({ stream, headers, route, clock, limits }).start();
  } catch (error) {
    refuse(stream, toRpcError(error), 200);
  }
}

const noDate = { sendDate: false };

function refuse(stream: ServerHttp2Stream, error: RpcError, status: number): void {
  stream.on("error", () => {});
  stream.respond(
    {
      ":status": status,
      "content-type": "application/grpc",
      "grpc-status": String(error.code),
      "grpc-message": encodeMessage(error.details),
    },
    { endStream: true, ...noDate },
  );
  stream.resume();
}
