/**
 * /health, /ready and /metrics, each on a port of its own, as CoreDNS's plugins of these names.
 *
 * Source  CoreDNS plugin/{health,ready,metrics}
 */
import { createServer } from "node:http";

export interface Door {
  host: string;
  port: number;
}

export interface OpenDoor {
  port: number;
  close(): Promise<void>;
}

export async function openDoor(
  at: Door,
  path: string,
  answer: () => { status: number; text: string },
): Promise<OpenDoor> {
  const server = createServer((request, response) => {
    const found = (request.url ?? "").split("?")[0] === path;
    const { status, text } = found ? answer() : { status: 404, text: "404 page not found\n" };
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, resolve);
  });
  return {
    port: (server.address() as { port: number }).port,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
