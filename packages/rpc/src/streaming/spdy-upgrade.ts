/**
 * From HTTP to SPDY: the client's and the server's half of the upgrade.
 *
 * Shapes  protocols  sub-protocols offered, best first: "v4.channel.k8s.io", "portforward.k8s.io"
 * Errors  UpgradeError {status, body}: the server answered something else than 101
 * Source  k8s.io/streaming/pkg/httpstream/spdy/roundtripper.go, upgrade.go
 */
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { SpdySession, type SpdyStream } from "./spdy-session.ts";

export const SPDY_UPGRADE = "SPDY/3.1";
const PROTOCOL_HEADER = "x-stream-protocol-version";

export class UpgradeError extends Error {
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`unable to upgrade connection: ${body}`);
    this.status = status;
    this.body = body;
  }
}

export interface RawUpgrade {
  socket: Duplex;
  head: Buffer;
  headers: IncomingMessage["headers"];
  protocol: string;
}

/** Asks a plain-HTTP server to upgrade to SPDY; gives the bare connection. */
export function upgradeToSpdy(
  url: string,
  protocols: readonly string[],
  method = "POST",
): Promise<RawUpgrade> {
  const { promise, resolve, reject } = Promise.withResolvers<RawUpgrade>();
  const sent = request(url, {
    method,
    agent: false,
    headers: {
      connection: "Upgrade",
      upgrade: SPDY_UPGRADE,
      ...(protocols.length === 0 ? {} : { [PROTOCOL_HEADER]: [...protocols] }),
    },
  });
  sent.on("upgrade", (response, socket, head) => {
    const protocol = String(response.headers[PROTOCOL_HEADER] ?? "");
    resolve({ socket, head, headers: response.headers, protocol });
  });
  sent.on("response", (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      reject(new UpgradeError(response.statusCode ?? 0, body));
    });
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

/** The same, with a session over it. */
export async function dialSpdy(
  url: string,
  protocols: readonly string[],
): Promise<{ session: SpdySession; protocol: string }> {
  const { socket, head, protocol } = await upgradeToSpdy(url, protocols);
  return { session: new SpdySession(socket, { server: false, head }), protocol };
}

/** What a client offered, over one or many header lines. */
export function offeredProtocols(headers: IncomingMessage["headers"]): string[] {
  const raw = headers[PROTOCOL_HEADER];
  const lines = Array.isArray(raw) ? raw : [raw ?? ""];
  return lines
    .flatMap((line) => line.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

export const wantsSpdy = (message: IncomingMessage): boolean =>
  (message.headers.upgrade ?? "").toLowerCase().includes("spdy/3.1");

/** Answers an upgrade request with 101 and serves the session. */
export function acceptSpdy(
  socket: Duplex,
  head: Buffer,
  protocol: string,
  onStream: (stream: SpdyStream) => void,
): SpdySession {
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    `Upgrade: ${SPDY_UPGRADE}`,
    ...(protocol === "" ? [] : [`X-Stream-Protocol-Version: ${protocol}`]),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return new SpdySession(socket, { server: true, head, onStream });
}
