/** At most one leads; a dead one is replaced after its lease, one that leaves at once. */

import type { Lease } from "@nanokube/api/coordination/v1";
import { createFakeClock, createSeededRandom, type FakeClock } from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import { createFakeApiServer, type FakeApiServer } from "../testing/fake-apiserver.ts";
import { createClient } from "./client.ts";
import type { HttpTransport } from "./http.ts";
import { runLeaderElection } from "./leader-election.ts";

const collection = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

function candidate(
  identity: string,
  clock: FakeClock,
  server: FakeApiServer,
  log: string[],
  options: { releaseOnCancel?: boolean; transport?: HttpTransport } = {},
) {
  const stop = new AbortController();
  const client = createClient({ transport: options.transport ?? server.transport, clock });
  const done = runLeaderElection({
    client,
    clock,
    random: createSeededRandom(identity.length),
    lease: { namespace: "kube-system", name: "test" },
    identity,
    releaseOnCancel: options.releaseOnCancel,
    signal: stop.signal,
    onStarted: () => void log.push(`${identity} leads`),
    onStopped: () => void log.push(`${identity} stopped`),
  });
  return { stop: () => stop.abort(), done };
}

const lease = (server: FakeApiServer) => server.get(collection, "test") as Lease | undefined;

describe("leader election", () => {
  test("the first leads and renews; the second waits", async () => {
    const [clock, server, log] = [createFakeClock(), createFakeApiServer(), [] as string[]];
    const a = candidate("a", clock, server, log);
    await clock.step(0);
    const b = candidate("bb", clock, server, log);
    await clock.step(60_000);
    expect(log).toEqual(["a leads"]);
    expect(lease(server)?.spec).toMatchObject({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:01:00.000000Z",
    });
    a.stop();
    b.stop();
    await clock.step(5_000);
    await Promise.all([a.done, b.done]);
  });

  test("a dead leader is replaced once its lease has run out, not before", async () => {
    const [clock, server, log] = [createFakeClock(), createFakeApiServer(), [] as string[]];
    let cut = false;
    const transport: HttpTransport = (request) => {
      if (cut) throw new Error("network is unreachable");
      return server.transport(request);
    };
    const a = candidate("a", clock, server, log, { transport });
    await clock.step(0);
    const b = candidate("bb", clock, server, log);
    await clock.step(10_000);
    cut = true;
    await clock.step(14_000);
    expect(log).toEqual(["a leads", "a stopped"]); // It gave up before another may begin.
    await clock.step(10_000);
    expect(log).toEqual(["a leads", "a stopped", "bb leads"]);
    expect(lease(server)?.spec).toMatchObject({ holderIdentity: "bb", leaseTransitions: 1 });
    b.stop();
    await clock.step(5_000);
    await Promise.all([a.done, b.done]);
  });

  test("one that leaves gives the lease back", async () => {
    const [clock, server, log] = [createFakeClock(), createFakeApiServer(), [] as string[]];
    const a = candidate("a", clock, server, log, { releaseOnCancel: true });
    await clock.step(0);
    const b = candidate("bb", clock, server, log);
    await clock.step(4_000);
    a.stop();
    await clock.step(6_000);
    expect(log).toEqual(["a leads", "a stopped", "bb leads"]);
    b.stop();
    await clock.step(5_000);
    await Promise.all([a.done, b.done]);
  });
});
