/**
 * One HTTP/2 connection to a target, made when first needed and again when it is lost.
 *
 * With several targets it is to one of them, the next when the last could not be reached: members
 * of one cluster, any of which serves every call. Only when none of them answers has an attempt
 * failed.
 *
 * After a failed attempt calls fail at once with its reason until the back-off has passed (callers
 * that `waitForReady` wait instead). A peer that says GOAWAY gets no new calls;
 * those under way end.
 * Back-off 100 ms · 1.6^n, at most 5 s, ±20 %.
 * Source  google.golang.org/grpc clientconn.go, backoff.go; naming.md
 *         (":authority" of unix sockets)
 */
import { connect as connectTcp, type Socket } from "node:net";
import type { RpcClock } from "../core/clock.ts";
import { codes, RpcError } from "../core/status.ts";
import { type ClientSession, openHttp2 } from "./http2-socket.ts";
import { nodeTls } from "./late-modules.ts";

export interface ClientTls {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** Name that the server's certificate must have, when not the target's host. */
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

export interface ConnectionOptions {
  readonly tls?: ClientTls | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Ping this often while calls are under way; no pings when absent. */
  readonly keepaliveMs?: number | undefined;
  readonly keepaliveTimeoutMs?: number | undefined;
}

export interface Target {
  readonly authority: string;
  readonly describe: string;
  /** `protocol`: what TLS is to agree on. */
  open(protocol?: "h2" | "http/1.1"): Socket;
}

const backoffMs = { first: 100, factor: 1.6, most: 5000, jitter: 0.2 };

export class Connection {
  readonly #targets: readonly Target[];
  /** Of the target that is connected, or tried first. */
  #current = 0;
  readonly #options: ConnectionOptions;
  readonly #clock: RpcClock;
  #session: ClientSession | undefined;
  #connecting: Promise<ClientSession> | undefined;
  #all = new Set<ClientSession>();
  #failures = 0;
  #lastError: RpcError | undefined;
  #retryAt = 0;
  #isClosed = false;

  constructor(targets: readonly string[], options: ConnectionOptions, clock: RpcClock) {
    this.#targets = targets.map((target) => parseTarget(target, options.tls));
    this.#options = options;
    this.#clock = clock;
  }

  /** The session at once when there is one, else a promise of one. */
  session(waitForReady: boolean): ClientSession | Promise<ClientSession> {
    if (this.#session !== undefined) return this.#session;
    if (this.#isClosed) {
      throw new RpcError(codes.CANCELLED, "grpc: the client connection is closing");
    }
    if (waitForReady) return this.#untilReady();
    if (this.#lastError !== undefined && this.#clock.now() < this.#retryAt) throw this.#lastError;
    return this.#connect();
  }

  async #untilReady(): Promise<ClientSession> {
    for (;;) {
      const waitMs = this.#lastError === undefined ? 0 : this.#retryAt - this.#clock.now();
      if (waitMs > 0) await new Promise<void>((done) => this.#clock.setTimeout(done, waitMs));
      if (this.#isClosed) {
        throw new RpcError(codes.CANCELLED, "grpc: the client connection is closing");
      }
      try {
        return this.#session ?? (await this.#connect());
      } catch {
        // The reason is kept in #lastError, and the loop waits for the back-off.
      }
    }
  }

  #connect(): Promise<ClientSession> {
    this.#connecting ??= this.#attempt().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #attempt(): Promise<ClientSession> {
    try {
      const socket = await this.#openAny();
      if (this.#isClosed) {
        socket.destroy();
        throw new Error("grpc: the client connection is closing");
      }
      this.#failures = 0;
      this.#lastError = undefined;
      const session = this.#adopt(socket);
      return session;
    } catch (error) {
      const { first, factor, most, jitter } = backoffMs;
      const wait = Math.min(first * factor ** this.#failures++, most);
      this.#retryAt = this.#clock.now() + wait * (1 - jitter + 2 * jitter * Math.random());
      const { describe } = this.#targets[this.#current]!;
      const why = dialError(error as NodeJS.ErrnoException, describe);
      const text = `connection error: desc = "transport: Error while dialing: ${why}"`;
      this.#lastError = new RpcError(codes.UNAVAILABLE, text);
      throw this.#lastError;
    }
  }

  /** The first that answers, from where the last connection was; the last one's error if none. */
  async #openAny(): Promise<Socket> {
    const timeoutMs = this.#options.connectTimeoutMs ?? 20_000;
    for (let left = this.#targets.length - 1; ; left -= 1) {
      try {
        return await openSocket(this.#targets[this.#current]!, timeoutMs);
      } catch (error) {
        if (left === 0 || this.#isClosed) throw error;
        this.#current = (this.#current + 1) % this.#targets.length;
      }
    }
  }

  #adopt(socket: Socket): ClientSession {
    let stopPings: (() => void) | undefined;
    const session: ClientSession = openHttp2(socket, {
      retired: () => {
        if (this.#session === session) this.#session = undefined;
      },
      ended: () => {
        this.#all.delete(session);
        stopPings?.();
      },
    });
    this.#session = session;
    this.#all.add(session);
    const { keepaliveMs, keepaliveTimeoutMs } = this.#options;
    if (keepaliveMs !== undefined) {
      stopPings = keepAlive(session, keepaliveMs, keepaliveTimeoutMs ?? 20_000);
    }
    return session;
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#all) session.destroy();
    this.#session = undefined;
  }
}

export function parseTarget(target: string, tls: ClientTls | undefined): Target {
  if (target.startsWith("unix:")) {
    const path = target.replace(/^unix:(\/\/)?/, "");
    return {
      authority: "http://localhost",
      describe: `unix ${path}`,
      open: () => connectTcp({ path }),
    };
  }
  const url = new URL(target);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isTls = url.protocol === "https:";
  if (!isTls && url.protocol !== "http:") {
    throw new TypeError(`rpc: ${target}: a target is unix:///path, http://host:port or https://…`);
  }
  const port = Number(url.port || (isTls ? 443 : 80));
  const describe = `tcp ${url.host}`;
  if (!isTls) return { authority: url.origin, describe, open: () => connectTcp({ host, port }) };
  const isAddress = /^[\d.]+$|:/.test(host);
  const servername = tls?.serverName ?? (isAddress ? undefined : host);
  const open = (protocol = "h2") =>
    nodeTls().connect({
      host,
      port,
      ca: tls?.ca,
      cert: tls?.cert,
      key: tls?.key,
      ...(servername === undefined ? {} : { servername }),
      rejectUnauthorized: tls?.insecureSkipVerify !== true,
      ALPNProtocols: [protocol],
    });
  return { authority: url.origin, describe, open };
}

/** Resolves when the socket (and TLS) stands; HTTP/2's settings need no waiting for. */
function openSocket(target: Target, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = target.open();
    const isTls = "authorized" in socket;
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error("i/o timeout")), timeoutMs);
    socket.once("error", fail);
    socket.once(isTls ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      // "close" follows, and is what counts.
      socket.on("error", () => {});
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

const systemTexts: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EACCES: "permission denied",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
};

export function dialError(error: NodeJS.ErrnoException, target: string): string {
  const text = error.code === undefined ? undefined : systemTexts[error.code];
  if (text !== undefined) return `dial ${target}: connect: ${text}`;
  return `dial ${target}: ${error.message}`;
}

/** A connection whose pings stay unanswered is dead, whatever its socket says. */
function keepAlive(session: ClientSession, everyMs: number, timeoutMs: number): () => void {
  let late: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    if (late !== undefined) return;
    late = setTimeout(() => session.destroy(), timeoutMs);
    late.unref();
    session.ping(() => {
      clearTimeout(late);
      late = undefined;
    });
  }, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    clearTimeout(late);
  };
}
