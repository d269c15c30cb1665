/**
 * Connections that leave HTTP: a client asks for another protocol (HTTP/1.1 Upgrade), the server
 * agrees, and from then on bytes flow both ways with nothing between them.
 *
 * For streams so busy that a frame's cost counts; they share ports and TLS with everything else.
 *
 * Errors  RpcError: UNAVAILABLE when there is no way to the server, else what its refusal says
 * Source  RFC 9110 section 7.8
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import type { ByteStream, UpgradeOptions } from "../core/call.ts";
import { codeOfHttpStatus, codes, RpcError, toRpcError } from "../core/status.ts";
import { dialError, type Target } from "./connection.ts";
import { nodeHttp } from "./late-modules.ts";

export interface UpgradeRequest {
  readonly protocol: string;
  /** Path with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Takes the connection, or throws an RpcError: the refusal that the client sees. */
export type UpgradeHandler = (request: UpgradeRequest, accept: () => ByteStream) => void;

const refusedStatus = 403;
const codeHeader = "grpc-status";

/** For the "upgrade" event of an HTTP server. */
export function serveUpgrade(handler: UpgradeHandler) {
  return (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", () => {});
    const { headers, url: path = "/" } = incoming;
    const protocol = headers.upgrade ?? "";
    try {
      handler({ protocol, path, headers }, () => {
        const lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"];
        socket.write(`${[...lines, `Upgrade: ${protocol}`].join("\r\n")}\r\n\r\n`);
        if (head.length > 0) socket.unshift(head);
        return socket as ByteStream;
      });
    } catch (error) {
      const { code, details } = toRpcError(error);
      const body = Buffer.from(details);
      const lines = [
        `HTTP/1.1 ${refusedStatus} Forbidden`,
        "Connection: close",
        `${codeHeader}: ${code}`,
        `Content-Length: ${body.length}`,
      ];
      socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]));
    }
  };
}

/** A connection of its own, on which the server has agreed to speak `protocol`. */
export function openUpgraded(target: Target, options: UpgradeOptions): Promise<ByteStream> {
  const { protocol, headers = {}, path = "/", timeoutMs = 5000 } = options;
  return new Promise((resolve, reject) => {
    const socket = target.open("http/1.1");
    const lost = (error: Error) => {
      socket.destroy();
      const why = dialError(error, target.describe);
      const text = `connection error: desc = "transport: Error while dialing: ${why}"`;
      reject(new RpcError(codes.UNAVAILABLE, text));
    };
    socket.once("error", lost);
    const asking = nodeHttp().request({
      createConnection: () => socket,
      method: "GET",
      path,
      headers: { host: new URL(target.authority).host, ...headers, connection: "Upgrade" },
      setHost: false,
    });
    asking.setHeader("upgrade", protocol);
    asking.setTimeout(timeoutMs, () => asking.destroy(new Error("i/o timeout")));
    asking.on("error", lost);
    asking.on("response", (response) => refusal(response).then(reject, reject));
    asking.on("upgrade", (_, upgraded: Socket, head: Buffer) => {
      upgraded.off("error", lost);
      upgraded.on("error", () => {});
      upgraded.setTimeout(0);
      upgraded.setNoDelay(true);
      if (head.length > 0) upgraded.unshift(head);
      resolve(upgraded);
    });
    asking.end();
  });
}

async function refusal(response: IncomingMessage): Promise<RpcError> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const given = Number(response.headers[codeHeader]);
  const code = Number.isInteger(given) ? given : codeOfHttpStatus(response.statusCode ?? 0);
  return new RpcError(code, Buffer.concat(parts).toString());
}

/** The same inside the process. */
export function upgradeInMemory(
  handler: UpgradeHandler | undefined,
  { protocol, path = "/", headers = {} }: UpgradeOptions,
): ByteStream {
  if (handler === undefined) throw new RpcError(codes.UNIMPLEMENTED, "no protocol to upgrade to");
  const [mine, theirs] = duplexPair();
  handler({ protocol, path, headers }, () => theirs);
  // One end's end is the other's, as with a socket.
  mine.once("close", () => theirs.destroy());
  theirs.once("close", () => mine.destroy());
  return mine;
}
