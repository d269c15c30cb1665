/** Events: counted, combined, dropped as client-go does. */

import type { Event } from "@nanokube/api/core/v1";
import { createFakeClock } from "@nanokube/machinery/clock";
import { describe, expect, test } from "vitest";
import { createFakeApiServer, refuse } from "../testing/fake-apiserver.ts";
import { createClient } from "./client.ts";
import { createEventRecorder } from "./event-recorder.ts";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "shop", uid: "u1", resourceVersion: "7" },
};

function setUp() {
  const clock = createFakeClock();
  const server = createFakeApiServer();
  const client = createClient({ transport: server.transport, clock });
  const recorder = createEventRecorder({ client, component: "kubelet", host: "n1", clock });
  const written = () => server.list("/api/v1/namespaces/shop/events") as Event[];
  return { clock, server, recorder, written };
}

describe("event recorder", () => {
  test("writes upstream's shape", async () => {
    const { recorder, written } = setUp();
    recorder.event(pod, "Normal", "Pulled", "Container image already present");
    await recorder.flush();
    expect(written()).toEqual([
      expect.objectContaining({
        involvedObject: {
          apiVersion: "v1",
          kind: "Pod",
          name: "web",
          namespace: "shop",
          uid: "u1",
          resourceVersion: "7",
        },
        reason: "Pulled",
        message: "Container image already present",
        type: "Normal",
        count: 1,
        firstTimestamp: "2026-01-01T00:00:00Z",
        lastTimestamp: "2026-01-01T00:00:00Z",
        source: { component: "kubelet", host: "n1" },
        reportingComponent: "kubelet",
        reportingInstance: "n1",
      }),
    ]);
    expect(written()[0]!.metadata?.name).toMatch(/^web\.[0-9a-f]{16}$/);
  });

  test("the same again counts up, and keeps its first time", async () => {
    const { clock, recorder, written } = setUp();
    for (let i = 0; i < 3; i++) {
      recorder.event(pod, "Warning", "BackOff", "Back-off restarting failed container");
      await clock.step(1000);
    }
    await recorder.flush();
    expect(written()).toHaveLength(1);
    expect(written()[0]).toMatchObject({
      count: 3,
      firstTimestamp: "2026-01-01T00:00:00Z",
      lastTimestamp: "2026-01-01T00:00:02Z",
    });
  });

  test("the tenth message of a reason begins one combined event", async () => {
    const { recorder, written } = setUp();
    for (let i = 0; i < 12; i++) recorder.event(pod, "Warning", "Failed", `try ${i}`);
    await recorder.flush();
    const combined = written().filter((e) => e.message?.startsWith("(combined"));
    expect(written()).toHaveLength(10);
    expect(combined.map(({ message, count }) => ({ message, count }))).toEqual([
      { message: "(combined from similar events): try 11", count: 3 },
    ]);
  });

  test("more than 25 about one object are dropped, one more comes every 5 minutes", async () => {
    const { clock, recorder, server } = setUp();
    for (let i = 0; i < 40; i++) recorder.event(pod, "Normal", `Reason${i}`, "m");
    await recorder.flush();
    expect(server.requests).toHaveLength(25);
    await clock.step(300_000);
    recorder.event(pod, "Normal", "Later", "m");
    recorder.event(pod, "Normal", "Later still", "m");
    await recorder.flush();
    expect(server.requests).toHaveLength(26);
  });

  test("a refusal drops the event, silence tries again", async () => {
    const { clock, recorder, server, written } = setUp();
    server.handle = () => refuse(403, "Forbidden", "no");
    recorder.event(pod, "Normal", "A", "m");
    await recorder.flush();
    server.handle = () => {
      throw new Error("ECONNREFUSED");
    };
    recorder.event(pod, "Normal", "B", "m");
    await clock.step(25_000);
    server.handle = undefined;
    await clock.step(20_000);
    expect(written().map(({ reason }) => reason)).toEqual(["B"]);
  });
});
