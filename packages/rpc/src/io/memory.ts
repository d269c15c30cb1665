/**
 * A channel to handlers in the same process: no socket and no bytes, the same outcomes.
 *
 * Messages are filled (`fill`) on the way, so that both sides see what decoding would give; byte
 * fields are shared, not copied: neither side may change them afterwards.
 *
 * Two sides that answer each other at once would go on for ever within one turn of the event loop:
 * after some messages a turn the rest waits for the next, so that timers and sockets have theirs.
 */
import type { CallOptions, Channel, ClientStream, ServerCall, ServerStream } from "../core/call.ts";
import type { RpcClock } from "../core/clock.ts";
import type { Init, MessageCodec } from "../core/codec.ts";
import { MessageQueue } from "../core/message-queue.ts";
import { type Metadata, metadataToHeaders } from "../core/metadata.ts";
import type { Route, Router } from "../core/router.ts";
import type { MethodInfo } from "../core/service.ts";
import { codes, RpcError, toRpcError } from "../core/status.ts";
import { type UpgradeHandler, upgradeInMemory } from "./upgrade.ts";

export function createMemoryChannel(
  router: Router,
  clock: RpcClock,
  upgrade?: UpgradeHandler,
): Channel {
  const calls = new Set<MemoryCall>();
  const turn = new Turn();
  let isClosed = false;
  const open = (path: string, options: CallOptions | undefined): MemoryCall => {
    if (isClosed) throw closing();
    const call = new MemoryCall(router.find(path), { clock, turn }, options);
    calls.add(call);
    call.onEnd = () => calls.delete(call);
    return call;
  };
  return {
    async unary<I, O>(method: MethodInfo<I, O>, request: Init<I>, options?: CallOptions) {
      const call = open(method.path, options);
      return (await call.unary(request as Init<unknown>)) as O;
    },
    stream<I, O>(method: MethodInfo<I, O>, options?: CallOptions) {
      try {
        return open(method.path, options).stream() as ClientStream<I, O>;
      } catch (error) {
        return failedStream(error) as ClientStream<I, O>;
      }
    },
    upgrade: async (options) => upgradeInMemory(upgrade, options),
    close() {
      isClosed = true;
      for (const call of calls) call.end(closing());
    },
  };
}

const closing = () => new RpcError(codes.CANCELLED, "grpc: the client connection is closing");

/** A stream that could not be opened: the reason comes out where responses would. */
export function failedStream(error: unknown): ClientStream<unknown, unknown> {
  const responses = new MessageQueue<unknown>();
  responses.fail(error);
  const headers = Promise.reject(error);
  headers.catch(() => {});
  return {
    write: () => true,
    drained: async () => {},
    end() {},
    responses,
    cancel() {},
    headers,
  };
}

const messagesPerTurn = 256;

/** How much was said in this turn of the event loop. */
class Turn {
  #said = 0;
  #waiting: (() => void)[] = [];

  /** True when this one has to wait for the next turn. */
  isSpent(): boolean {
    if (this.#said++ === 0) setImmediate(() => this.#next());
    return this.#said > messagesPerTurn;
  }

  afterwards(run: () => void): void {
    this.#waiting.push(run);
  }

  #next(): void {
    this.#said = 0;
    for (const run of this.#waiting.splice(0)) run();
  }
}

interface Surroundings {
  readonly clock: RpcClock;
  readonly turn: Turn;
}

class MemoryCall implements ServerCall {
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer = "memory";
  readonly peerCommonName = undefined;
  onEnd: () => void = () => {};
  readonly #route: Route;
  readonly #clock: RpcClock;
  readonly #turn: Turn;
  readonly #caller: AbortSignal | undefined;
  #abort: AbortController | undefined;
  #ended: RpcError | "done" | undefined;
  #deadline: unknown;
  #onCallerAbort: (() => void) | undefined;
  #listeners: ((error: RpcError) => void)[] = [];
  #headers = Promise.withResolvers<Metadata>();

  constructor(route: Route, { clock, turn }: Surroundings, options: CallOptions | undefined) {
    this.#route = route;
    this.#clock = clock;
    this.#turn = turn;
    this.path = route.method.path;
    this.metadata = options?.metadata === undefined ? {} : metadataToHeaders(options.metadata);
    this.#headers.promise.catch(() => {});
    this.#caller = options?.signal;
    if (this.#caller?.aborted) throw canceled();
    if (this.#caller !== undefined) {
      this.#onCallerAbort = () => this.end(canceled());
      this.#caller.addEventListener("abort", this.#onCallerAbort);
    }
    if (options?.timeoutMs !== undefined) {
      const expire = () => this.end(expired());
      this.#deadline = clock.setTimeout(expire, options.timeoutMs);
    }
  }

  header(name: string): string | undefined {
    return this.metadata[name];
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#ended !== undefined) this.#abort.abort(this.#ended);
    }
    return this.#abort.signal;
  }

  sendHeaders(metadata: Metadata): void {
    this.#headers.resolve(metadata);
  }

  setTrailers(_metadata: Metadata): void {}

  /** The first reason ends the call; nothing that comes later counts. */
  end(reason: RpcError | "done"): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    if (this.#deadline !== undefined) this.#clock.clearTimeout(this.#deadline as never);
    if (this.#onCallerAbort) this.#caller?.removeEventListener("abort", this.#onCallerAbort);
    this.#abort?.abort(reason);
    if (reason === "done") this.#headers.resolve({});
    else {
      this.#headers.reject(reason);
      for (const listener of this.#listeners) listener(reason);
    }
    this.onEnd();
  }

  unary(request: Init<unknown>): Promise<unknown> {
    const { method, handler } = this.#route;
    return new Promise((resolve, reject) => {
      this.#listeners.push(reject);
      const done = (message: unknown) => {
        try {
          const filled = method.response.fill(message as Init<unknown>);
          if (this.#turn.isSpent()) this.#turn.afterwards(() => resolve(filled));
          else resolve(filled);
          this.end("done");
        } catch (error) {
          this.end(toRpcError(error));
        }
      };
      try {
        const filled = method.request.fill(request);
        const result = (handler as unknown as Invoke)(filled, this);
        if (result instanceof Promise) result.then(done, (error) => this.end(toRpcError(error)));
        else done(result);
      } catch (error) {
        this.end(toRpcError(error));
      }
    });
  }

  stream(): ClientStream<unknown, unknown> {
    const { method, handler } = this.#route;
    const turn = this.#turn;
    const requests = new Pipe(method.request, { turn });
    const responses = new Pipe(method.response, { turn, onReturn: () => this.end(canceled()) });
    this.#listeners.push((error) => {
      requests.fail(error);
      responses.fail(error);
    });
    const server = new MemoryStream(this, requests, responses);
    const run = async () => {
      try {
        const result = await (handler as unknown as Invoke)(server);
        if (!method.serverStreaming) responses.write(result as Init<unknown>);
        responses.end();
        requests.end();
        requests.release();
        this.end("done");
      } catch (error) {
        this.end(toRpcError(error));
      }
    };
    // Not in the caller's turn: it has not got its stream yet.
    queueMicrotask(run);
    return {
      write: (message) => requests.write(message),
      drained: () => requests.drained(),
      end: () => requests.end(),
      responses: responses.queue,
      cancel: () => this.end(canceled()),
      headers: this.#headers.promise,
    };
  }
}

type Invoke = (...args: unknown[]) => unknown;

const canceled = () => new RpcError(codes.CANCELLED, "context canceled");
const expired = () => new RpcError(codes.DEADLINE_EXCEEDED, "context deadline exceeded");

/** One direction: fills messages, queues them, and knows when the reader has caught up. */
class Pipe {
  readonly queue: MessageQueue<unknown>;
  readonly #codec: MessageCodec<unknown>;
  readonly #turn: Turn;
  #isFull = false;
  #waiting: (() => void)[] = [];
  /** What waits for the next turn, the end among it. */
  #held: (() => void)[] = [];

  constructor(
    codec: MessageCodec<unknown>,
    { turn, onReturn = () => {} }: { turn: Turn; onReturn?: () => void },
  ) {
    this.#codec = codec;
    this.#turn = turn;
    this.queue = new MessageQueue({ onDrain: () => this.release(), onReturn });
  }

  write(message: Init<unknown>): boolean {
    const filled = this.#codec.fill(message);
    if (this.#held.length > 0 || this.#turn.isSpent()) {
      this.#isFull = true;
      this.#hold(() => this.#push(filled));
    } else this.#push(filled);
    return !this.#isFull;
  }

  #push(filled: unknown): void {
    if (!this.queue.push(filled)) this.#isFull = true;
  }

  #hold(act: () => void): void {
    this.#held.push(act);
    if (this.#held.length === 1) this.#turn.afterwards(() => this.#letGo());
  }

  #letGo(): void {
    for (const act of this.#held.splice(0)) act();
    if (!this.queue.isFull) this.release();
  }

  /** After all that was written. */
  end(): void {
    if (this.#held.length > 0) this.#hold(() => this.queue.end());
    else this.queue.end();
  }

  drained(): Promise<void> {
    if (!this.#isFull || !this.queue.isOpen) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  fail(error: RpcError): void {
    if (this.#held.length > 0) this.#hold(() => this.queue.fail(error));
    else this.queue.fail(error);
    this.release();
  }

  release(): void {
    this.#isFull = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The server's side of a streaming call. */
class MemoryStream implements ServerStream<unknown, unknown> {
  readonly requests: AsyncIterable<unknown>;
  readonly #call: MemoryCall;
  readonly #in: Pipe;
  readonly #out: Pipe;

  constructor(call: MemoryCall, requests: Pipe, responses: Pipe) {
    this.#call = call;
    this.#in = requests;
    this.#out = responses;
    this.requests = requests.queue;
  }

  get path(): string {
    return this.#call.path;
  }
  get metadata(): Metadata {
    return this.#call.metadata;
  }
  header(name: string): string | undefined {
    return this.#call.header(name);
  }
  get peer(): string {
    return this.#call.peer;
  }
  get peerCommonName(): undefined {
    return undefined;
  }
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  sendHeaders(metadata: Metadata): void {
    this.#call.sendHeaders(metadata);
  }
  setTrailers(metadata: Metadata): void {
    this.#call.setTrailers(metadata);
  }

  forEachRequest(take: (request: unknown) => void | Promise<void>): Promise<void> {
    return this.#in.queue.forEach(take);
  }

  async first(): Promise<unknown> {
    const next = await this.#in.queue.next();
    if (next.done) throw new RpcError(codes.INTERNAL, "grpc: the call carries no request");
    return next.value;
  }

  write(message: Init<unknown>): boolean {
    this.#call.sendHeaders({});
    return this.#out.write(message);
  }
  drained(): Promise<void> {
    return this.#out.drained();
  }
}
