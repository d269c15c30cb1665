/**
 * Is the other end of a silent connection still there? It is pinged, and dropped when it is not.
 *
 * Source  google.golang.org/grpc internal/transport/http2_server.go keepalive
 */
import type { RpcClock } from "../core/clock.ts";

export interface KeepAlive {
  /** So long a silence is no cause for a question. */
  readonly intervalMs: number;
  /** So long is waited for anything at all. */
  readonly timeoutMs: number;
}

export interface KeptConnection {
  /** Grows with everything that is read. */
  readonly reads: number;
  ping(): void;
  drop(): void;
}

/** Gives what ends it. */
export function keepAlive(
  connection: KeptConnection,
  { intervalMs, timeoutMs }: KeepAlive,
  clock: RpcClock,
): () => void {
  let timer: unknown;
  const listen = () => {
    const { reads } = connection;
    timer = clock.setTimeout(() => (connection.reads === reads ? ask() : listen()), intervalMs);
  };
  const ask = () => {
    const { reads } = connection;
    connection.ping();
    timer = clock.setTimeout(
      () => (connection.reads === reads ? connection.drop() : listen()),
      timeoutMs,
    );
  };
  listen();
  return () => clock.clearTimeout(timer as never);
}
