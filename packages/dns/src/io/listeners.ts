/**
 * The server's sockets: UDP and TCP on one port.
 *
 * TCP clients may send many queries without waiting; answers go out as they are ready. A connection
 * that says nothing for 10 seconds is closed; so are those over `maxConnections`.
 *
 * Source  RFC 7766; CoreDNS core/dnsserver (timeouts)
 */
import { createSocket, type Socket as UDPSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import type { Log } from "@nanokube/machinery";
import { frame, readFrames } from "./tcp-frames.ts";

export type Protocol = "udp" | "tcp";
/** Undefined: no answer at all. */
export type Handler = (message: Uint8Array, protocol: Protocol) => Promise<Uint8Array | undefined>;

export interface Listeners {
  port: number;
  close(): Promise<void>;
}

const idleMs = 10_000;
const maxConnections = 1000;

export async function listen(
  at: { host: string; port: number },
  handler: Handler,
  log: Log,
): Promise<Listeners> {
  const tcp = createServer();
  tcp.maxConnections = maxConnections;
  const sockets = new Set<Socket>();
  tcp.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serveConnection(socket, handler);
  });
  // With port 0 the TCP socket chooses, and UDP takes the same.
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(at.port, at.host, resolve);
  });
  const port = (tcp.address() as { port: number }).port;
  let udp: UDPSocket;
  try {
    udp = await bindUDP({ host: at.host, port }, handler, log);
  } catch (error) {
    await closeServer(tcp, sockets);
    throw error;
  }
  return {
    port,
    async close() {
      await new Promise<void>((resolve) => udp.close(() => resolve()));
      await closeServer(tcp, sockets);
    },
  };
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}

function serveConnection(socket: Socket, handler: Handler): void {
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  readFrames(socket, (message) => {
    void handler(message, "tcp").then((answer) => {
      if (answer !== undefined && !socket.destroyed) socket.write(frame(answer));
    });
  });
}

async function bindUDP(
  at: { host: string; port: number },
  handler: Handler,
  log: Log,
): Promise<UDPSocket> {
  const udp = createSocket({
    type: at.host.includes(":") ? "udp6" : "udp4",
    recvBufferSize: 1 << 20,
  });
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(at.port, at.host, () => {
      udp.off("error", reject);
      resolve();
    });
  });
  udp.on("error", (error) => log.warn({ err: error }, "UDP socket"));
  udp.on("message", (message, from) => {
    void handler(message, "udp").then((answer) => {
      if (answer !== undefined) udp.send(answer, from.port, from.address, () => {});
    });
  });
  return udp;
}
