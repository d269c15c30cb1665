/**
 * A service whose calls are counted, for grpc_server_started_total and its sisters.
 *
 * Source  github.com/grpc-ecosystem/go-grpc-prometheus server_metrics.go
 */
import {
  type Handlers,
  type ServerCall,
  type ServerStream,
  type ServiceInfo,
  toRpcError,
} from "@nanokube/rpc";
import type { Histogram } from "../core/histogram.ts";
import { guarded } from "./member.ts";
import type { MethodCounter, MetricsRegistry } from "./metrics.ts";

type AnyHandler = (...args: unknown[]) => unknown;
type AnyStream = ServerStream<unknown, unknown>;

export function counted<S extends ServiceInfo>(
  registry: MetricsRegistry,
  service: S,
  handlers: Handlers<S>,
): Handlers<S> {
  const wrapped: Record<string, AnyHandler> = {};
  for (const [name, method] of Object.entries(service.methods)) {
    const handler = (handlers as Record<string, AnyHandler | undefined>)[name];
    if (handler === undefined) continue;
    const counter = newCounter(registry, service.name, method);
    registry.methods.push(counter);
    const isStream = method.clientStreaming || method.serverStreaming;
    const one = isStream ? countStream(counter, handler) : countUnary(counter, handler);
    const known = withVersions(registry, isStream, one);
    wrapped[name] = counter.seconds === undefined ? known : timed(counter.seconds, known);
  }
  return wrapped as Handlers<S>;
}

interface MethodShape {
  readonly path: string;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
}

function newCounter(
  registry: MetricsRegistry,
  service: string,
  method: MethodShape,
): MethodCounter {
  const { clientStreaming, serverStreaming, path } = method;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const type = clientStreaming
    ? serverStreaming
      ? "bidi_stream"
      : "client_stream"
    : serverStreaming
      ? "server_stream"
      : "unary";
  const labels = `grpc_method="${name}",grpc_service="${service}",grpc_type="${type}"`;
  const handled = new Array<number>(17).fill(0);
  const seconds = registry.newCallHistogram();
  return { labels, started: 0, received: 0, sent: 0, handled, seconds };
}

/** Which clients there are: clientv3 says which API it speaks. */
function withVersions(
  registry: MetricsRegistry,
  isStream: boolean,
  handler: AnyHandler,
): AnyHandler {
  const name = "client-api-version";
  if (isStream) {
    return (call) => {
      guarded(() => registry.requested("stream", (call as ServerCall).header(name)));
      return handler(call);
    };
  }
  return (request, call) => {
    guarded(() => registry.requested("unary", (call as ServerCall).header(name)));
    return handler(request, call);
  };
}

/** Only with --metrics extensive: it costs something. */
function timed(seconds: Histogram, handler: AnyHandler): AnyHandler {
  return (...args) => {
    const sinceMs = performance.now();
    const done = () => seconds.observe((performance.now() - sinceMs) / 1000);
    let result: unknown;
    try {
      result = handler(...args);
    } catch (error) {
      done();
      throw error;
    }
    if (result instanceof Promise) return result.finally(done);
    done();
    return result;
  };
}

function failed(counter: MethodCounter, error: unknown): never {
  counter.handled[toRpcError(error).code]!++;
  throw error;
}

function countUnary(counter: MethodCounter, handler: AnyHandler): AnyHandler {
  const done = (response: unknown) => {
    counter.handled[0]!++;
    counter.sent++;
    return response;
  };
  const fail = (error: unknown) => failed(counter, error);
  return (request, call) => {
    counter.started++;
    counter.received++;
    try {
      const response = handler(request, call);
      return response instanceof Promise ? response.then(done, fail) : done(response);
    } catch (error) {
      return fail(error);
    }
  };
}

function countStream(counter: MethodCounter, handler: AnyHandler): AnyHandler {
  return async (call) => {
    counter.started++;
    try {
      await handler(countingCall(counter, call as AnyStream));
      counter.handled[0]!++;
    } catch (error) {
      failed(counter, error);
    }
  };
}

/** The same call; what passes through it is counted. */
function countingCall(counter: MethodCounter, call: AnyStream): AnyStream {
  return {
    path: call.path,
    peer: call.peer,
    header: (name) => call.header(name),
    get metadata() {
      return call.metadata;
    },
    get peerCommonName() {
      return call.peerCommonName;
    },
    get signal() {
      return call.signal;
    },
    get requests() {
      return countReceived(counter, call.requests);
    },
    forEachRequest: (take) =>
      call.forEachRequest((request) => {
        counter.received++;
        return take(request);
      }),
    first() {
      counter.received++;
      return call.first();
    },
    write(message) {
      counter.sent++;
      return call.write(message);
    },
    drained: () => call.drained(),
    sendHeaders: (metadata) => call.sendHeaders(metadata),
    setTrailers: (metadata) => call.setTrailers(metadata),
  };
}

async function* countReceived(
  counter: MethodCounter,
  requests: AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  for await (const request of requests) {
    counter.received++;
    yield request;
  }
}
