/**
 * A socket, and the HTTP/2 connection that lives on it, of a server or of a client.
 *
 * What calls say within one turn of the event loop, and in the promises it resolves, leaves as
 * one write. A socket that takes no more makes bodies wait (`isBacklogged`), and stops the reading
 * when answers to control frames pile up.
 */
import type { Socket } from "node:net";
import type { RpcClock } from "../core/clock.ts";
import { type AnswerSink, type ClientStream, Http2Client } from "../core/http2-client.ts";
import { http2Error, windowMax } from "../core/http2-codes.ts";
import { type ConnectionLimits, Http2Connection } from "../core/http2-connection.ts";
import type { Http2Endpoint } from "../core/http2-endpoint.ts";
import type { Http2Stream, StreamSink } from "../core/http2-stream.ts";
import type { RequestHead } from "../core/request-head.ts";
import { type KeepAlive, keepAlive } from "./server-keepalive.ts";
import { wallClock } from "./wall-clock.ts";

export interface ServedSocket {
  /** Bytes that were read before the connection was known to be HTTP/2. */
  receive(bytes: Buffer): void;
  /** Tells the peer to send no new requests here; those under way are served. */
  drain(): void;
  /** Tells the peer, and ends. */
  close(): void;
}

export interface Http2SocketOptions extends Omit<ConnectionLimits, "nowMs"> {
  readonly keepAlive?: KeepAlive | undefined;
  readonly clock?: RpcClock | undefined;
}

export type OpenStream = (stream: Http2Stream, head: RequestHead, socket: Socket) => StreamSink;

/** How long a peer may take to read the last words. */
const lingerMs = 1000;
const backlogMaxBytes = 4 << 20;

/** Those with something to send: an event for fifty watchers is one entry of the tick queue. */
let unsent: Carrier[] = [];

function flushAll(): void {
  const carriers = unsent;
  unsent = [];
  for (const carrier of carriers) carrier.flush();
}

/** Moves the bytes of one connection. */
class Carrier {
  readonly #socket: Socket;
  #endpoint: Http2Endpoint | undefined;
  #isFlushPlanned = false;
  #isReading = false;
  reads = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** From now on what the socket reads goes to the connection. */
  carry(endpoint: Http2Endpoint): void {
    this.#endpoint = endpoint;
    const socket = this.#socket;
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("drain", () => {
      endpoint.isBacklogged = false;
      if (socket.isPaused()) socket.resume();
      endpoint.pump();
    });
    socket.on("end", () => endpoint.lost("EOF"));
    socket.on("close", () => endpoint.lost("closed"));
    this.flush();
  }

  receive(bytes: Buffer): void {
    this.#isReading = true;
    this.reads++;
    this.#endpoint!.receive(bytes);
    this.#isReading = false;
    this.flush();
  }

  readonly flushSoon = (): void => {
    // While bytes are read the end of the reading is the time; later, the end of the turn.
    if (this.#isReading || this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    if (unsent.push(this) === 1) process.nextTick(flushAll);
  };

  flush(): void {
    this.#isFlushPlanned = false;
    const socket = this.#socket;
    const endpoint = this.#endpoint;
    if (endpoint === undefined || endpoint.outbox.isEmpty) return;
    const pieces = endpoint.outbox.take(socket.writableLength === 0);
    if (socket.destroyed) return;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    if (socket.writableNeedDrain && !endpoint.isEnded) {
      endpoint.isBacklogged = true;
      if (socket.writableLength > backlogMaxBytes) socket.pause();
    }
  }

  /** The connection is over: the last words go out, then the socket ends. */
  end(): void {
    const socket = this.#socket;
    this.flush();
    socket.end();
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
  }
}

export function serveHttp2(
  socket: Socket,
  open: OpenStream,
  onEnd: (served: ServedSocket) => void,
  { keepAlive: kept, clock = wallClock, ...limits }: Http2SocketOptions = {},
): ServedSocket {
  const carrier = new Carrier(socket);
  const hooks = {
    request: (stream: Http2Stream, head: RequestHead) => open(stream, head, socket),
    flushSoon: carrier.flushSoon,
    ended() {
      stopAsking?.();
      carrier.end();
      onEnd(served);
    },
  };
  const connection = new Http2Connection(hooks, { ...limits, nowMs: () => clock.now() });
  const asked = {
    get reads() {
      return carrier.reads;
    },
    ping: () => connection.ping(),
    drop() {
      connection.lost("keepalive ping failed to receive ACK within timeout");
      socket.destroy();
    },
  };
  const stopAsking = kept === undefined ? undefined : keepAlive(asked, kept, clock);
  const served: ServedSocket = {
    receive: (bytes) => carrier.receive(bytes),
    drain() {
      // No stream is beyond the largest number: none that is on its way is refused.
      connection.outbox.goaway(windowMax, http2Error.noError, "");
      carrier.flush();
    },
    close: () => connection.end(http2Error.noError, ""),
  };
  carrier.carry(connection);
  return served;
}

type Fields = readonly (readonly [name: string, value: string])[];

/** A client's connection. Streams under way keep the process alive; a connection that idles not. */
export interface ClientSession {
  readonly isEnded: boolean;
  whenRoom(start: () => void): void;
  open(often: Fields, others: Fields, answer: AnswerSink): ClientStream;
  ping(onPong: () => void): void;
  /** Ends it and all that is under way. */
  destroy(): void;
}

export interface SessionEvents {
  /** No new streams from now on. */
  retired(): void;
  ended(): void;
}

export function openHttp2(socket: Socket, events: SessionEvents): ClientSession {
  const carrier = new Carrier(socket);
  const pongs: (() => void)[] = [];
  const client = new Http2Client({
    flushSoon: carrier.flushSoon,
    ended() {
      carrier.end();
      events.retired();
      events.ended();
    },
    retired: () => events.retired(),
    ponged: () => pongs.shift()?.(),
    busy: (isBusy) => void (isBusy ? socket.ref() : socket.unref()),
  });
  socket.unref();
  carrier.carry(client);
  return {
    get isEnded() {
      return client.isEnded;
    },
    whenRoom: (start) => client.whenRoom(start),
    open: (often, others, answer) => client.open(often, others, answer),
    ping(onPong) {
      pongs.push(onPong);
      client.ping(Buffer.alloc(8));
    },
    destroy() {
      client.end(http2Error.noError, "");
      socket.destroy();
    },
  };
}
