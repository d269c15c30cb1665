import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { probeDeadline } from "../src/io/probe-deadline.ts";
import { httpGet } from "../src/io/probe-http.ts";
import { probeTCP } from "../src/io/prober.ts";

const standStill = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

test("the kubelet's own standstill is not the container's", async () => {
  const server = createServer((_request, response) => response.end("fine"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}/`);
  const probes = [probeTCP("127.0.0.1", port, 500), httpGet({ url, headers: {} }, 500)];
  standStill(600);
  const answers = await Promise.all(probes);
  server.close();
  expect(answers).toMatchObject([{ result: "success" }, { status: 200, body: "fine" }]);
});

test("time is over, once, and not when it was called off", async () => {
  let calls = 0;
  const cancel = probeDeadline(20, () => calls++);
  cancel();
  const start = performance.now();
  await new Promise<void>((expired) => probeDeadline(100, expired));
  expect(performance.now() - start).toBeGreaterThan(95);
  expect(calls).toBe(0);
});
