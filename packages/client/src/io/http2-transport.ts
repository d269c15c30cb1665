/**
 * HTTP/2: few sessions carry all requests. A server allows so many streams on one (kube-apiserver:
 * 100), and every watch holds one for minutes, so a session that is full gets a sibling.
 *
 * A session is pinged every 30 s, and given up when no answer comes within 15 s: a node that lost
 * its network must notice, or its watches hang for ever.
 *
 * Source  client-go's defaults HTTP2_READ_IDLE_TIMEOUT_SECONDS=30, HTTP2_PING_TIMEOUT_SECONDS=15
 */
import * as http2 from "node:http2";
import type { TLSSocket } from "node:tls";
import type { HttpResponse } from "../core/http.ts";
import type { Wire, WireRequest } from "./http-transport.ts";

const idleMs = 30_000;
const pingTimeoutMs = 15_000;
const streamWindowBytes = 1 << 20;
const sessionWindowBytes = 16 << 20;
const streamsUnlessTold = 100;

interface Line {
  session: http2.ClientHttp2Session;
  streams: number;
}

export function createHttp2Transport(
  url: URL,
  dial: () => Promise<TLSSocket>,
  first: TLSSocket,
): Wire {
  const lines = new Set<Line>();
  let dialing: Promise<Line> | undefined;

  const open = (socket: TLSSocket): Promise<Line> => {
    const session = http2.connect(url, {
      createConnection: () => socket,
      settings: { initialWindowSize: streamWindowBytes, enablePush: false },
    });
    const line: Line = { session, streams: 0 };
    lines.add(line);
    const drop = () => lines.delete(line);
    session.once("close", drop);
    session.once("goaway", drop);
    session.on("error", drop); // Its streams fail by themselves.
    watchOver(session);
    return new Promise((resolve, reject) => {
      session.once("error", reject);
      session.once("close", () => reject(new Error("http2: session closed before its settings")));
      // The server's limit of streams stands in its first settings.
      session.once("remoteSettings", () => {
        session.setLocalWindowSize(sessionWindowBytes);
        session.off("error", reject);
        session.unref(); // An idle session keeps no process alive; one that is being opened does.
        resolve(line);
      });
    });
  };
  let opening: Promise<Line> | undefined = open(first);
  opening.catch(() => {});

  const acquire = async (): Promise<Line> => {
    if (opening !== undefined) {
      const line = opening;
      await line.finally(() => {
        opening = undefined;
      });
    }
    for (;;) {
      for (const line of lines) if (hasRoom(line)) return line;
      dialing ??= dial()
        .then(open)
        .finally(() => {
          dialing = undefined;
        });
      await dialing;
    }
  };

  return {
    async request(sent) {
      for (let attempt = 0; ; attempt++) {
        if (sent.signal?.aborted) throw sent.signal.reason;
        const line = await acquire();
        try {
          return await send(line, sent);
        } catch (error) {
          if (attempt >= 3 || !neverProcessed(error)) throw error;
          lines.delete(line);
        }
      }
    },
    close() {
      for (const { session } of lines) session.destroy();
      lines.clear();
    },
  };
}

function hasRoom({ session, streams }: Line): boolean {
  if (session.closed || session.destroyed) return false;
  const max = session.remoteSettings.maxConcurrentStreams ?? streamsUnlessTold;
  return streams < max;
}

/**
 * The server said that it did not begin, or the session was going away before the request was sent:
 * safe to repeat.
 */
function neverProcessed(error: unknown): boolean {
  const { code, message = "" } = error as NodeJS.ErrnoException;
  return (
    code === "ERR_HTTP2_GOAWAY_SESSION" ||
    code === "ERR_HTTP2_INVALID_SESSION" ||
    (code === "ERR_HTTP2_STREAM_ERROR" && message.includes("NGHTTP2_REFUSED_STREAM"))
  );
}

function send(line: Line, sent: WireRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const stream = line.session.request(
      { ":method": sent.method, ":path": sent.path, ...sent.headers },
      { endStream: sent.body === undefined },
    );
    if (line.streams++ === 0) line.session.ref();
    const abort = () => stream.destroy(sent.signal?.reason as Error);
    sent.signal?.addEventListener("abort", abort, { once: true });
    stream.once("close", () => {
      sent.signal?.removeEventListener("abort", abort);
      if (--line.streams === 0 && !line.session.destroyed) line.session.unref();
      reject(new Error("http2: stream closed before an answer came"));
    });
    stream.on("error", reject);
    stream.once("response", (head) => {
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(head)) {
        if (name.startsWith(":") || value === undefined) continue;
        headers[name] = Array.isArray(value) ? value.join(", ") : String(value);
      }
      resolve({ status: head[":status"] ?? 0, headers, body: bodyOf(stream) });
    });
    if (sent.body !== undefined) stream.end(sent.body);
  });
}

/**
 * The chunks of an answer, whenever the caller begins to read.
 *
 * Not Node's own iterator: an answer may be there whole before anybody reads; Node's stream
 * then calls itself closed, throws its bytes away if nobody listens, and its iterator takes it
 * for cut off.
 */
function bodyOf(stream: http2.ClientHttp2Stream): AsyncIterable<Uint8Array> {
  let wake = () => {};
  let ended = false;
  let closed = false;
  let failure: Error | undefined;
  stream.on("readable", () => wake());
  stream.once("end", () => {
    ended = true;
    wake();
  });
  stream.once("error", (error) => {
    failure = error;
    wake();
  });
  stream.once("close", () => {
    closed = true;
    wake();
  });
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      while (!ended) {
        const chunk = stream.read() as Uint8Array | null;
        if (chunk !== null) yield chunk;
        else if (failure !== undefined) throw failure;
        else if (closed && !ended)
          throw new Error("http2: stream closed in the middle of an answer");
        else if (!ended) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      if (!ended) stream.destroy();
    }
  }
  return { [Symbol.asyncIterator]: chunks };
}

/** Node hides when bytes last came in, so every session with work is asked, silent or not. */
function watchOver(session: http2.ClientHttp2Session): void {
  const timer = setInterval(() => {
    if (session.destroyed) return;
    const late = setTimeout(
      () => session.destroy(new Error("http2: client connection lost")),
      pingTimeoutMs,
    );
    late.unref();
    try {
      session.ping(() => clearTimeout(late));
    } catch {
      clearTimeout(late); // Closing already.
    }
  }, idleMs);
  timer.unref();
  session.once("close", () => clearInterval(timer));
}
