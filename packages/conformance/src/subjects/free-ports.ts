/**
 * Ports for programs that must be told theirs before they start. They lie below those that the
 * kernel gives to outgoing connections, so that what is free now is so until the program takes it,
 * and below those of Services.
 */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 30_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
