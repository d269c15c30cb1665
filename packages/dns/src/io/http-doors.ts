/**
 * /health, /ready and /metrics, each on a port of its own, as CoreDNS's plugins of these names.
 *
 * Source  CoreDNS plugin/{health,ready,metrics}
 */
import { createServer } from "node:http";
import { type ListeningServer, serveHTTP } from "@nanokube/machinery/serve-http";

export interface Door {
  host: string;
  port: number;
}

export async function openDoor(
  at: Door,
  path: string,
  answer: () => { status: number; text: string },
): Promise<ListeningServer> {
  const server = createServer((request, response) => {
    const found = (request.url ?? "").split("?")[0] === path;
    const { status, text } = found ? answer() : { status: 404, text: "404 page not found\n" };
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
  });
  return serveHTTP(server, at);
}
