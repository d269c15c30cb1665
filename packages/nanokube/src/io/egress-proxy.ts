/**
 * A CONNECT proxy on the machine's side of the bridge, so that nodes can pull from real registries.
 *
 * The nodes have no way out of their own, because that would need rules in the machine's firewall.
 * Runtimes are told of this proxy by HTTPS_PROXY; the machine's own proxy settings are honoured by
 * none of it, a tunnel goes straight to the registry.
 *
 * Errors  502 with the reason when the registry cannot be reached; 405 for anything but CONNECT
 * Source  RFC 9110 section 9.3.6
 */
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface EgressProxy {
  port: number;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;

function tunnel(request: IncomingMessage, client: Duplex, open: Set<Duplex>): void {
  const match = /^(.+):(\d+)$/.exec(request.url ?? "");
  if (match === null) return void client.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  const host = match[1]!.replace(/^\[|\]$/g, "");
  const target: Socket = connect({ host, port: Number(match[2]) });
  for (const socket of [client, target]) {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  }
  let established = false;
  target.setTimeout(connectTimeoutMs, () => target.destroy(new Error("i/o timeout")));
  target.once("connect", () => {
    established = true;
    target.setTimeout(0);
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    client.pipe(target).pipe(client);
  });
  target.once("error", (error) => {
    if (established) client.destroy();
    else client.end(`HTTP/1.1 502 Bad Gateway\r\n\r\n${error.message}\n`);
  });
  client.once("error", () => target.destroy());
  client.once("close", () => target.destroy());
}

export async function startEgressProxy(host: string, port: number): Promise<EgressProxy> {
  const open = new Set<Duplex>();
  const server = createServer((_request, response) => {
    response.writeHead(405, { allow: "CONNECT" }).end("only CONNECT is served\n");
  });
  server.on("connect", (request, client) => tunnel(request, client, open));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
