/** Ranges of Services come, serve and go, on a real API server and a clock that the test moves. */
import { ipAddresses, serviceCIDRs, services } from "@nanokube/client";
import { createFakeClock } from "@nanokube/machinery";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestEnvironment } from "../../testenv/src/index.ts";

describe("service CIDR", () => {
  let env: TestEnvironment;
  beforeEach(async () => {
    env = await TestEnvironment.start({
      controllers: ["service-cidr-controller"],
      clock: createFakeClock(),
    });
  });
  afterEach(() => env?.stop());

  const cidrs = () => env.client.resource(serviceCIDRs);
  const create = async (name: string, ...ranges: string[]) => {
    await cidrs().create({ metadata: { name }, spec: { cidrs: ranges } });
    await env.step(0);
  };
  const readyOf = async (name: string) =>
    (await cidrs().get(name)).status?.conditions?.find(({ type }) => type === "Ready");
  const exists = async (name: string) =>
    (await cidrs().list()).items.some(({ metadata }) => metadata?.name === name);
  const serve = (name: string, clusterIP: string) =>
    env.client
      .resource(services)
      .namespace("default")
      .create({ metadata: { name }, spec: { clusterIP, ports: [{ port: 80 }] } });

  test("one that is new is protected and ready", async () => {
    await create("more", "10.97.0.0/24");
    expect((await cidrs().get("more")).metadata?.finalizers).toEqual([
      "networking.k8s.io/service-cidr-finalizer",
    ]);
    expect(await readyOf("more")).toMatchObject({
      status: "True",
      message: "Kubernetes Service CIDR is ready",
    });
    expect(await readyOf("kubernetes")).toMatchObject({ status: "True" });
  });

  test("one whose addresses are in use stays until they are free, and ten seconds more", async () => {
    await create("more", "10.97.0.0/24");
    await serve("web", "10.97.0.5");
    await cidrs().delete("more");
    await env.step(20_000);
    expect(await readyOf("more")).toMatchObject({ status: "False", reason: "Terminating" });
    await expect(serve("late", "10.97.0.6")).rejects.toThrow(
      "the provided network does not match the current range",
    );
    await env.client.resource(services).namespace("default").delete("web");
    await env.step(0);
    await expect(env.client.resource(ipAddresses).get("10.97.0.5")).rejects.toThrow("not found");
    expect(await exists("more")).toBe(false);
  });

  test("one that nobody needs goes after ten seconds", async () => {
    await create("more", "10.97.0.0/24");
    await cidrs().delete("more");
    await env.step(9_000);
    expect(await exists("more")).toBe(true);
    await env.step(2_000);
    expect(await exists("more")).toBe(false);
  });

  test("a larger one takes over the addresses of a smaller", async () => {
    await create("small", "10.97.0.0/24");
    await serve("web", "10.97.0.5");
    await create("large", "10.97.0.0/16");
    await cidrs().delete("small");
    await env.step(11_000);
    expect(await exists("small")).toBe(false);
    expect(await readyOf("large")).toMatchObject({ status: "True" });
  });
});
