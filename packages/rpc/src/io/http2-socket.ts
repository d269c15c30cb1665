/**
 * A socket, and the HTTP/2 connection that lives on it.
 *
 * What calls answer within one turn of the event loop, and in the promises it resolves, leaves as
 * one write. A socket that takes no more makes bodies wait (`isBacklogged`), and stops the reading
 * when answers to control frames pile up.
 */
import type { Socket } from "node:net";
import { http2Error, setting, windowMax } from "../core/http2-codes.ts";
import { Http2Connection } from "../core/http2-connection.ts";
import type { Http2Stream, StreamSink } from "../core/http2-stream.ts";
import type { RequestHead } from "../core/request-head.ts";

export interface ServedSocket {
  /** Bytes that were read before the connection was known to be HTTP/2. */
  receive(bytes: Buffer): void;
  /** Tells the peer to send no new requests here; those under way are served. */
  drain(): void;
  /** Tells the peer, and ends. */
  close(): void;
}

export interface Http2SocketOptions {
  /** Requests at once on one connection; as many as come unless told. */
  readonly streamsMax?: number;
}

export type OpenStream = (stream: Http2Stream, head: RequestHead, socket: Socket) => StreamSink;

/** How long a peer may take to read the last words. */
const lingerMs = 1000;

export function serveHttp2(
  socket: Socket,
  open: OpenStream,
  onEnd: (served: ServedSocket) => void,
  { streamsMax }: Http2SocketOptions = {},
): ServedSocket {
  let isFlushPlanned = false;
  let isReading = false;

  const flush = (): void => {
    isFlushPlanned = false;
    if (connection.outbox.isEmpty) return;
    const pieces = connection.outbox.take();
    if (socket.destroyed) return;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    if (socket.writableNeedDrain && !connection.isEnded) {
      connection.isBacklogged = true;
      if (socket.writableLength > backlogMaxBytes) socket.pause();
    }
  };

  const connection = new Http2Connection({
    request: (stream, head) => open(stream, head, socket),
    flushSoon() {
      // While bytes are read the end of the reading is the time; later, the end of the turn.
      if (isReading || isFlushPlanned) return;
      isFlushPlanned = true;
      process.nextTick(flush);
    },
    ended() {
      flush();
      socket.end();
      onEnd(served);
      if (socket.destroyed) return;
      const timer = setTimeout(() => socket.destroy(), lingerMs);
      timer.unref();
      socket.once("close", () => clearTimeout(timer));
    },
  });

  const served: ServedSocket = {
    receive(bytes) {
      isReading = true;
      connection.receive(bytes);
      isReading = false;
      flush();
    },
    drain() {
      // No stream is beyond the largest number: none that is on its way is refused.
      connection.outbox.goaway(windowMax, http2Error.noError, "");
      flush();
    },
    close: () => connection.end(http2Error.noError, ""),
  };
  socket.on("data", served.receive);
  socket.on("drain", () => {
    connection.isBacklogged = false;
    if (socket.isPaused()) socket.resume();
    connection.pump();
  });
  socket.on("end", () => connection.lost("EOF"));
  socket.on("close", () => connection.lost("closed"));
  if (streamsMax !== undefined) {
    connection.outbox.settings([[setting.maxConcurrentStreams, streamsMax]]);
  }
  flush();
  return served;
}

const backlogMaxBytes = 4 << 20;
