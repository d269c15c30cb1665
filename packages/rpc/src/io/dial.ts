/**
 * A channel to a server elsewhere: `unix:///run/x.sock`, `http://host:port`, `https://host:port`;
 * or to one of several that serve the same.
 *
 * Nothing is connected until the first call; see connection.ts for what happens when it is lost.
 */
import type { CallOptions, Channel, ClientStream } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import type { Init } from "../core/codec.ts";
import { MessageQueue } from "../core/message-queue.ts";
import type { Metadata } from "../core/metadata.ts";
import type { MethodInfo } from "../core/service.ts";
import { codes, RpcError, toRpcError } from "../core/status.ts";
import { type CallSettings, ClientCall } from "./client-call.ts";
import { Connection, type ConnectionOptions, parseTarget } from "./connection.ts";
import type { ClientSession } from "./http2-socket.ts";
import { openUpgraded } from "./upgrade.ts";
import { wallClock } from "./wall-clock.ts";

export interface DialOptions extends ConnectionOptions {
  readonly clock?: RpcClock | undefined;
  /** Largest response: 2^31 - 1, for grpc-go's default of 4 MiB is too small for lists. */
  readonly receiveMaxBytes?: number | undefined;
  readonly userAgent?: string | undefined;
}

/** Of several targets the next is called when the one before is lost; see connection.ts. */
export function dial(targets: string | readonly string[], options: DialOptions = {}): Channel {
  const clock = options.clock ?? wallClock;
  const all = typeof targets === "string" ? [targets] : targets;
  const target = all[0];
  if (target === undefined) throw new TypeError("rpc: no target");
  const connection = new Connection(all, options, clock);
  const { protocol, host } = new URL(parseTarget(target, options.tls).authority);
  const settings: CallSettings = {
    clock,
    receiveMaxBytes: options.receiveMaxBytes ?? 2 ** 31 - 1,
    userAgent: options.userAgent ?? "nanokube-rpc",
    authority: host,
    scheme: protocol === "https:" ? "https" : "http",
  };
  return {
    unary: <I, O>(method: MethodInfo<I, O>, request: Init<I>, call: CallOptions = {}) =>
      callUnary(connection, settings, { method, request, call }) as Promise<O>,
    stream: <I, O>(method: MethodInfo<I, O>, call: CallOptions = {}) =>
      callStream(connection, settings, method, call) as ClientStream<I, O>,
    upgrade: (upgrade) => openUpgraded(parseTarget(target, options.tls), upgrade),
    close: () => connection.close(),
  };
}

interface UnaryCall {
  readonly method: MethodInfo<unknown, unknown>;
  readonly request: Init<unknown>;
  readonly call: CallOptions;
}

const canceled = () => new RpcError(codes.CANCELLED, "context canceled");

function callUnary(
  connection: Connection,
  settings: CallSettings,
  { method, request, call: options }: UnaryCall,
  isRetry = false,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(canceled());
    let response: unknown;
    let hasResponse = false;
    const frame = method.request.encodeFrame(request);
    const call = new ClientCall(method, options, settings, {
      headers() {},
      drained() {},
      message(message) {
        response = message;
        hasResponse = true;
        return true;
      },
      end(error) {
        if (error !== undefined && call.isUnprocessed && !isRetry) {
          resolve(callUnary(connection, settings, { method, request, call: options }, true));
        } else if (error !== undefined) reject(error);
        else if (hasResponse) resolve(response);
        else reject(new RpcError(codes.INTERNAL, "grpc: the call got no response"));
      },
    });
    withSession(connection, options, call, (session) => {
      call.start(session);
      call.finish(frame);
    });
  });
}

/** Starts a call as soon as there is a session; a call that ended meanwhile is not started. */
function withSession(
  connection: Connection,
  options: CallOptions,
  call: ClientCall,
  start: (session: ClientSession) => void,
): void {
  const begin = (session: ClientSession) =>
    session.whenRoom(() => {
      if (call.isEnded) return;
      try {
        start(session);
      } catch (error) {
        call.fail(new RpcError(codes.UNAVAILABLE, `transport: ${(error as Error).message}`));
      }
    });
  try {
    const session = connection.session(options.waitForReady ?? false);
    if (session instanceof Promise) session.then(begin, (error) => call.fail(toRpcError(error)));
    else begin(session);
  } catch (error) {
    // Later: who calls has not finished setting up.
    queueMicrotask(() => call.fail(toRpcError(error)));
  }
}

function callStream(
  connection: Connection,
  settings: CallSettings,
  method: MethodInfo<unknown, unknown>,
  options: CallOptions,
): ClientStream<unknown, unknown> {
  const headers = Promise.withResolvers<Metadata>();
  headers.promise.catch(() => {});
  let early: Buffer[] = [];
  let isEndedEarly = false;
  const wakers: (() => void)[] = [];
  const wake = () => {
    for (const resolve of wakers.splice(0)) resolve();
  };
  const responses = new MessageQueue<unknown>({
    onDrain: () => call.resume(),
    onReturn: () => call.cancel(),
  });
  const call = new ClientCall(method, options, settings, {
    headers: (metadata) => headers.resolve(metadata),
    drained: wake,
    message: (message) => responses.push(message),
    end(error) {
      if (error === undefined) responses.end();
      else responses.fail(error);
      if (error === undefined) headers.resolve({});
      else headers.reject(error);
      wake();
    },
  });
  if (options.signal?.aborted) queueMicrotask(() => call.cancel());
  withSession(connection, options, call, (session) => {
    call.start(session);
    for (const frame of early) call.write(frame);
    early = [];
    if (isEndedEarly) call.finish();
    wake();
  });
  return {
    write(message) {
      if (call.isEnded) return true;
      const frame = method.request.encodeFrame(message);
      if (call.isStarted) return call.write(frame);
      early.push(frame);
      return early.length < 64;
    },
    drained() {
      const isFree = call.isStarted ? !call.needsDrain : early.length < 64;
      if (call.isEnded || isFree) return Promise.resolve();
      return new Promise((resolve) => {
        wakers.push(resolve);
      });
    },
    end() {
      if (!call.isStarted) isEndedEarly = true;
      else if (!call.isEnded) call.finish();
    },
    responses,
    cancel: () => call.cancel(),
    headers: headers.promise,
  };
}
