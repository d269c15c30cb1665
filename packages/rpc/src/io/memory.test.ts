/** Two sides inside one process that answer each other at once: everybody else has a turn too. */
import { expect, test } from "vitest";
import { createClient, type Handlers } from "../core/call.ts";
import { etcd } from "../index.ts";
import { createServer } from "./server.ts";

function echo() {
  const server = createServer();
  const handlers: Partial<Handlers<typeof etcd.Lease>> = {
    leaseKeepAlive: (call) => call.forEachRequest(({ ID }) => void call.write({ ID, TTL: 1 })),
    leaseTimeToLive: ({ ID }) => ({ ID }),
  };
  server.add(etcd.Lease, handlers as Handlers<typeof etcd.Lease>);
  return createClient(server.memory(), etcd.Lease);
}

/** Time goes on within a thousand exchanges, or never. */
const exchangesMax = 5000;

test("a stream on which each message is answered at once lets timers run", async () => {
  const stream = echo().leaseKeepAlive();
  let isTime = false;
  setTimeout(() => {
    isTime = true;
  }, 0);
  let count = 0;
  stream.write({ ID: 0n });
  for await (const { ID } of stream.responses) {
    expect(ID).toBe(BigInt(count++));
    if (isTime || count === exchangesMax) break;
    stream.write({ ID: BigInt(count) });
  }
  expect(isTime).toBe(true);
});

test("calls that follow each other without a pause let timers run", async () => {
  const lease = echo();
  let isTime = false;
  setTimeout(() => {
    isTime = true;
  }, 0);
  let count = 0;
  while (!isTime && count < exchangesMax) {
    await lease.leaseTimeToLive({ ID: 1n });
    count++;
  }
  expect(isTime).toBe(true);
});

test("all of a long burst arrives, in its order, before the end", async () => {
  const stream = echo().leaseKeepAlive();
  for (let i = 0n; i < 1000n; i++) stream.write({ ID: i });
  stream.end();
  const seen: bigint[] = [];
  for await (const { ID } of stream.responses) seen.push(ID);
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => BigInt(i)));
});
