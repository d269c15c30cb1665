/**
 * Asks other name servers, one after another until one answers.
 *
 * Each question goes out with an id and a port of its own, and only an answer to that very question
 * from that very server is taken. A client that came by TCP is served by TCP.
 *
 * Errors  ForwardError when none answered in time
 * Source  CoreDNS plugin/forward/forward.go; RFC 5452 (forged answers), RFC 7766 (TCP)
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock, Random } from "@nanokube/machinery";
import { decodeAnswer } from "../core/decode.ts";
import { formatUpstream, type Upstream, UpstreamChooser } from "../core/upstream.ts";
import { frame, readFrames } from "./tcp-frames.ts";

export class ForwardError extends Error {}

export interface Forwarder {
  /** `query` is a whole message; the answer carries its id. */
  ask(query: Uint8Array, protocol: "udp" | "tcp"): Promise<Uint8Array>;
  readonly hasUpstreams: boolean;
}

export interface ForwarderOptions {
  upstreams: readonly Upstream[];
  clock: Clock;
  random: Random;
  timeoutMs?: number;
}

const deadlineMs = 5000;

export function createForwarder(options: ForwarderOptions): Forwarder {
  const { upstreams, clock, random, timeoutMs = 2000 } = options;
  const chooser = new UpstreamChooser(upstreams);

  async function ask(query: Uint8Array, protocol: "udp" | "tcp"): Promise<Uint8Array> {
    const startMs = clock.monotonic();
    const problems: string[] = [];
    for (const upstream of chooser.order(startMs)) {
      const leftMs = startMs + deadlineMs - clock.monotonic();
      if (leftMs <= 0) break;
      const sent = query.slice();
      sent.set(random.bytes(2), 0);
      try {
        const exchange = protocol === "udp" ? exchangeUDP : exchangeTCP;
        const received = await exchange({
          query: sent,
          to: upstream,
          clock,
          timeoutMs: Math.min(timeoutMs, leftMs),
        });
        chooser.succeeded(upstream);
        const answer = received.slice();
        answer.set(query.subarray(0, 2), 0);
        return answer;
      } catch (error) {
        chooser.failed(upstream, clock.monotonic());
        const why = error instanceof Error ? error.message : String(error);
        problems.push(`${formatUpstream(upstream)}: ${why}`);
      }
    }
    throw new ForwardError(problems.length === 0 ? "no name servers" : problems.join("; "));
  }

  return { ask, hasUpstreams: upstreams.length > 0 };
}

/** Is it the answer to what we asked? */
function matches(query: Uint8Array, answer: Uint8Array): boolean {
  try {
    const { questionEnd } = decodeAnswer(answer);
    if (answer[0] !== query[0] || answer[1] !== query[1]) return false;
    const lower = (byte: number) => (byte >= 65 && byte <= 90 ? byte + 32 : byte);
    for (let i = 12; i < questionEnd; i++) {
      if (lower(answer[i]!) !== lower(query[i] ?? -1)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

interface Exchange {
  readonly query: Uint8Array;
  readonly to: Upstream;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

interface Attempt {
  answered(message: Uint8Array): void;
  failed(error: Error): void;
}

/** Opens a socket for one query; it is closed when that is answered, or its time is over. */
function attempt(
  { clock, timeoutMs }: Exchange,
  open: (attempt: Attempt) => () => void,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clock.clearTimeout(timer);
      close();
      settle();
    };
    const failed = (error: Error) => finish(() => reject(error));
    const timer = clock.setTimeout(() => failed(new Error("i/o timeout")), timeoutMs);
    const close = open({ answered: (message) => finish(() => resolve(message)), failed });
  });
}

function exchangeUDP(exchange: Exchange): Promise<Uint8Array> {
  const { query, to } = exchange;
  return attempt(exchange, ({ answered, failed }) => {
    const socket = createSocket(to.host.includes(":") ? "udp6" : "udp4");
    socket.on("error", failed);
    socket.on("message", (message) => {
      if (matches(query, message)) answered(message);
    });
    // Connected: the kernel drops what comes from elsewhere, and tells when nobody listens.
    socket.connect(to.port, to.host, () => socket.send(query));
    return () => socket.close();
  });
}

function exchangeTCP(exchange: Exchange): Promise<Uint8Array> {
  const { query, to } = exchange;
  return attempt(exchange, ({ answered, failed }) => {
    const socket = connect(to.port, to.host);
    socket.on("error", failed);
    socket.on("close", () => failed(new Error("connection closed")));
    readFrames(socket, (message) => {
      if (matches(query, message)) answered(message);
    });
    socket.write(frame(query));
    return () => socket.destroy();
  });
}
