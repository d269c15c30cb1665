/**
 * A gRPC server: handlers on one side, any number of sockets and in-process channels on the other.
 *
 * `http`, when given, answers plain HTTP requests (HTTP/1.1 and HTTP/2) on the same ports: etcd's
 * /health, /version and /metrics live there.
 */
import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Channel, Handlers } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import type { Http2Stream, StreamSink } from "../core/http2-stream.ts";
import { binaryFault } from "../core/metadata.ts";
import type { RequestHead } from "../core/request-head.ts";
import { Router } from "../core/router.ts";
import type { ServiceInfo } from "../core/service.ts";
import { codes, encodeMessage, RpcError, toRpcError } from "../core/status.ts";
import { parseTimeout, timeoutFault } from "../core/timeout.ts";
import { unknownEncoding } from "./compression.ts";
import { type ServedSocket, serveHttp2 } from "./http2-socket.ts";
import { nodeHttp } from "./late-modules.ts";
import { type ListenAddress, type Listener, type ListenOptions, openListener } from "./listener.ts";
import { createMemoryChannel } from "./memory.ts";
import { type HttpHandler, serveHttp1, serveStream } from "./plain-http.ts";
import { type CallLimits, type CallPlan, ServerCall, type Traffic } from "./server-call.ts";
import type { KeepAlive } from "./server-keepalive.ts";
import { serveUpgrade, type UpgradeHandler } from "./upgrade.ts";
import { wallClock } from "./wall-clock.ts";

export interface ServerOptions {
  readonly clock?: RpcClock | undefined;
  /** Largest request; grpc-go's default is 4 MiB. */
  readonly receiveMaxBytes?: number | undefined;
  /** Largest response; grpc-go's default is 2^31 - 1. */
  readonly sendMaxBytes?: number | undefined;
  readonly http?: HttpHandler | undefined;
  /** Calls at once on one connection; as many as come unless told. */
  readonly streamsMax?: number | undefined;
  /** A client that pings more often is sent away; any may unless told. */
  readonly pingMinMs?: number | undefined;
  /** Silent connections are asked whether they are there; not unless told. */
  readonly keepAlive?: KeepAlive | undefined;
  /** Counts what calls carry, for whoever gives it. */
  readonly traffic?: Traffic | undefined;
  /** Takes WebSockets on some paths; elsewhere the wish for one is not heard. */
  readonly webSocket?: WebSocketHandler | undefined;
  /** Takes connections that ask for another protocol. */
  readonly upgrade?: UpgradeHandler | undefined;
}

export interface WebSocketHandler {
  isFor(path: string): boolean;
  serve(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface RpcServer {
  add<S extends ServiceInfo>(service: S, handlers: Handlers<S>): void;
  listen(options: ListenOptions): Promise<ListenAddress>;
  /** A channel to these handlers inside the process: same calls, no bytes. */
  memory(): Channel;
  /** Ends every call (UNAVAILABLE for the peers) and every socket. */
  close(): Promise<void>;
}

export function createServer(options: ServerOptions = {}): RpcServer {
  const clock = options.clock ?? wallClock;
  const limits: CallLimits = {
    receiveMaxBytes: options.receiveMaxBytes ?? 4 << 20,
    sendMaxBytes: options.sendMaxBytes ?? 2 ** 31 - 1,
    traffic: options.traffic ?? { received: 0, sent: 0 },
  };
  const router = new Router();
  const sockets = new Set<ServedSocket>();
  const listeners = new Set<Listener>();
  const memoryChannels = new Set<Channel>();
  let http1: HttpServer | undefined;

  const open = (stream: Http2Stream, head: RequestHead, socket: Socket): StreamSink => {
    // What a block of headers asks for is decided once, not once a call.
    head.memo ??= planOf(head, router, options.http !== undefined);
    const plan = head.memo as Plan;
    if (plan.kind === "http") return serveStream(options.http!, stream, head, socket);
    if (plan.kind === "refused") return refuse(stream, plan);
    const call = new ServerCall(stream, plan.call, { clock, limits, socket });
    call.start();
    return call;
  };

  const serve = (socket: Socket, first?: Buffer): void => {
    const { streamsMax, pingMinMs, keepAlive } = options;
    const limits = { streamsMax, pingMinMs, keepAlive, clock };
    const served = serveHttp2(socket, open, (ended) => sockets.delete(ended), limits);
    sockets.add(served);
    if (first !== undefined) served.receive(first);
  };

  const plainServer = (): HttpServer => {
    if (http1 !== undefined) return http1;
    const { upgrade, webSocket, http = nothingThere } = options;
    if (webSocket !== undefined) http1 = webSocketServer(http, webSocket);
    else {
      http1 = nodeHttp().createServer(serveHttp1(http));
      if (upgrade !== undefined) http1.on("upgrade", serveUpgrade(upgrade));
    }
    return http1;
  };

  return {
    add: (service, handlers) => router.add(service, handlers),
    async listen(where) {
      const hasHttp1 = options.http !== undefined || options.upgrade !== undefined;
      const listener = await openListener(where, serve, hasHttp1 ? plainServer : undefined);
      listeners.add(listener);
      return listener.address;
    },
    memory() {
      const channel = createMemoryChannel(router, clock, options.upgrade);
      memoryChannels.add(channel);
      return channel;
    },
    async close() {
      for (const channel of memoryChannels) channel.close();
      for (const socket of sockets) socket.close();
      await Promise.all([...listeners].map((listener) => listener.close()));
      listeners.clear();
    },
  };
}

/** Other wishes, such as h2c's, are answered as if they had not been told. */
function webSocketServer(http: HttpHandler, handler: WebSocketHandler): HttpServer {
  const isTaken = ({ headers, url = "/" }: IncomingMessage) =>
    headers.upgrade?.toLowerCase() === "websocket" && handler.isFor(url);
  const server = nodeHttp().createServer({ shouldUpgradeCallback: isTaken }, serveHttp1(http));
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {});
    handler.serve(request, socket, head);
  });
  return server;
}

const nothingThere: HttpHandler = () => ({ status: 404, body: "404 page not found\n" });

interface Refusal {
  readonly kind: "refused";
  readonly error: RpcError;
  readonly status: number;
}

type Plan =
  | { readonly kind: "call"; readonly call: CallPlan }
  | { readonly kind: "http" }
  | Refusal;

function planOf(head: RequestHead, router: Router, hasHttp: boolean): Plan {
  const { method, path, headers } = head;
  const type = headers["content-type"];
  const isGrpc = type?.startsWith("application/grpc") ?? false;
  if (hasHttp && !isGrpc) return { kind: "http" };
  if (method !== "POST") {
    const text = `Received a HEADERS frame with :method "${method}" which should be POST`;
    return { kind: "refused", error: new RpcError(codes.INTERNAL, text), status: 405 };
  }
  if (!isGrpc) {
    const text = `invalid gRPC request content-type ${JSON.stringify(type ?? "")}`;
    return { kind: "refused", error: new RpcError(codes.INVALID_ARGUMENT, text), status: 415 };
  }
  try {
    const route = router.find(path);
    const encoding = headers["grpc-encoding"];
    if (encoding !== undefined && encoding !== "identity" && encoding !== "gzip") {
      throw unknownEncoding(encoding, true);
    }
    const timeout = headers["grpc-timeout"];
    const timeoutMs = timeout === undefined ? undefined : parseTimeout(timeout);
    const fault = binaryFault(headers);
    if (fault !== undefined) return malformed(fault);
    if (timeout !== undefined && timeoutMs === undefined) {
      return malformed(`malformed grpc-timeout: ${timeoutFault(timeout)}`);
    }
    return { kind: "call", call: { route, head, timeoutMs } };
  } catch (error) {
    return { kind: "refused", error: toRpcError(error), status: 200 };
  }
}

/** Headers that cannot be read are HTTP's fault too. */
function malformed(text: string): Refusal {
  return { kind: "refused", error: new RpcError(codes.INTERNAL, text), status: 400 };
}

function refuse(stream: Http2Stream, { error, status }: Refusal): StreamSink {
  const block = stream.owner.blocks.fields([
    [":status", String(status)],
    ["content-type", "application/grpc"],
    ["grpc-status", String(error.code)],
    ["grpc-message", encodeMessage(error.details)],
  ]);
  stream.headers(block, true);
  return nobody;
}

/** Whoever was refused is not listened to. */
const nobody: StreamSink = { data() {}, end() {}, closed() {}, caughtUp() {} };
