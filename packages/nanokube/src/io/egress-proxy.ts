/**
 * A CONNECT proxy on the machine's side of the bridge, so that nodes can pull from real registries
 * and pods can speak to the world.
 *
 * The nodes have no way out of their own, because that would need rules in the machine's firewall.
 * Runtimes are told of this proxy by HTTPS_PROXY, pods' connections are led here (way-out.ts); the
 * machine's own proxy settings are honoured by none of it, a tunnel goes straight to its end.
 *
 * Errors  502 with the reason when the other end cannot be reached; 405 for anything but CONNECT;
 *         403 for the machine's own loopback, which is nobody's business in a pod
 * Source  RFC 9110 section 9.3.6
 */
import { lookup } from "node:dns/promises";
import { createServer, type IncomingMessage } from "node:http";
import { BlockList, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ListeningServer, serveHTTP } from "@nanokube/machinery/serve-http";

const connectTimeoutMs = 10_000;

const ownAddresses = new BlockList();
ownAddresses.addSubnet("0.0.0.0", 8);
ownAddresses.addSubnet("127.0.0.0", 8);
ownAddresses.addSubnet("169.254.0.0", 16);
ownAddresses.addSubnet("::", 127, "ipv6");
ownAddresses.addSubnet("fe80::", 10, "ipv6");

const isOutside = (address: string, family: number) =>
  !ownAddresses.check(address, family === 6 ? "ipv6" : "ipv4");

type IsAllowed = typeof isOutside;

async function dial(
  request: IncomingMessage,
  client: Duplex,
  open: Set<Duplex>,
  isAllowed: IsAllowed,
): Promise<void> {
  const match = /^(.+):(\d+)$/.exec(request.url ?? "");
  if (match === null) return void client.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  client.on("error", () => client.destroy());
  try {
    const { address, family } = await lookup(match[1]!.replace(/^\[|\]$/g, ""));
    if (isAllowed(address, family)) tunnel({ host: address, port: Number(match[2]) }, client, open);
    else client.end(`HTTP/1.1 403 Forbidden\r\n\r\n${address} is the machine's own\n`);
  } catch (error) {
    client.end(`HTTP/1.1 502 Bad Gateway\r\n\r\n${(error as Error).message}\n`);
  }
}

function tunnel(end: { host: string; port: number }, client: Duplex, open: Set<Duplex>): void {
  const target: Socket = connect(end);
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

export async function startEgressProxy(
  host: string,
  port: number,
  isAllowed: IsAllowed = isOutside,
): Promise<ListeningServer> {
  const open = new Set<Duplex>();
  const server = createServer((_request, response) => {
    response.writeHead(405, { allow: "CONNECT" }).end("only CONNECT is served\n");
  });
  server.on("connect", (request, client) => void dial(request, client, open, isAllowed));
  const listening = await serveHTTP(server, { host, port });
  return {
    port: listening.port,
    close() {
      for (const socket of open) socket.destroy();
      return listening.close();
    },
  };
}
