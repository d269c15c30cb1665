/** The plugin as a runtime runs it: a real executable, real namespaces, real interfaces. */
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Result } from "../src/index.ts";
import { hasUpstream, isRoot, openWorld, read, upstreamBin, type World } from "./world.ts";

/** More by the environment: NK_CNI_CYCLES=500. */
const cycles = Number(process.env.NK_CNI_CYCLES ?? 25);
let world: World;

const config = (extra: object = {}, ipam: object = {}) => ({
  cniVersion: "1.1.0",
  name: "net",
  type: "cni-bridge",
  bridge: "cni0",
  isGateway: true,
  hairpinMode: true,
  mtu: 1450,
  ipam: {
    type: "host-local",
    dataDir: world.dataDir,
    ranges: [[{ subnet: "10.244.1.0/24" }]],
    routes: [{ dst: "0.0.0.0/0" }],
    ...ipam,
  },
  ...extra,
});
const reservations = () =>
  readdirSync(join(world.dataDir, "net")).filter((f) => /^[\d.]+$/.test(f) || f.includes(":"));
const links = () =>
  (JSON.parse(world.host("ip", "-j", "link")) as { ifname: string }[]).map((l) => l.ifname);
const add = async (pod: string, extra: object = {}, ipam: object = {}) => {
  const reply = await world.cni({ command: "ADD", pod, config: config(extra, ipam) });
  expect(reply, reply.stdout).toMatchObject({ code: 0 });
  return reply.json as Result;
};

describe.skipIf(!isRoot)("cni-bridge in namespaces (needs root)", () => {
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  test("two pods reach each other and the gateway; CHECK agrees; DEL leaves nothing", async () => {
    const a = await add("a");
    const b = await add("b");
    expect(a.ips).toEqual([{ interface: 2, address: "10.244.1.2/24", gateway: "10.244.1.1" }]);
    expect(b.ips?.[0]?.address).toBe("10.244.1.3/24");
    expect(world.inPod("a", "busybox", "ping", "-c1", "-W2", "10.244.1.3")).toContain(
      "1 packets received",
    );
    expect(world.inPod("b", "busybox", "ping", "-c1", "-W2", "10.244.1.1")).toContain(
      "1 packets received",
    );
    const check = await world.cni({
      command: "CHECK",
      pod: "a",
      config: config({ prevResult: a }),
    });
    expect(check).toMatchObject({ code: 0, stdout: "" });
    for (const pod of ["a", "b", "a"]) {
      expect(await world.cni({ command: "DEL", pod, config: config() })).toMatchObject({ code: 0 });
    }
    expect(links()).toEqual(["lo", "cni0"]);
    expect(reservations()).toEqual([]);
  });

  test("CHECK tells what is missing", async () => {
    const prevResult = await add("a");
    const check = () => world.cni({ command: "CHECK", pod: "a", config: config({ prevResult }) });
    world.inPod("a", "ip", "route", "del", "default");
    expect(await check()).toMatchObject({
      code: 1,
      json: {
        cniVersion: "1.1.0",
        code: 999,
        msg: "Expected Route 0.0.0.0/0 not found in routing table",
      },
    });
    world.inPod("a", "ip", "addr", "flush", "dev", "eth0");
    expect((await check()).json.msg).toBe("Failed to match addr 10.244.1.2/24 on interface eth0");
    const host = prevResult.interfaces![1]!.name;
    world.host("ip", "link", "set", host, "nomaster");
    expect((await check()).json.msg).toBe("CNI veth created for bridge cni0 was not found");
    world.host("ip", "link", "del", host);
    expect((await check()).json.msg).toBe("Interface name eth0 not found");
  });

  test("parallel ADDs never share an address", async () => {
    const pods = Array.from({ length: 12 }, (_, i) => `p${i}`);
    const results = await Promise.all(pods.map((pod) => add(pod)));
    const addresses = new Set(results.map((r) => r.ips?.[0]?.address));
    expect(addresses.size).toBe(12);
    expect(reservations()).toHaveLength(12);
    const again = await Promise.all(
      pods.map((pod) => world.cni({ command: "DEL", pod, config: config() })),
    );
    expect(again.every((reply) => reply.code === 0)).toBe(true);
    expect(links()).toEqual(["lo", "cni0"]);
  });

  test("a failed ADD gives its address back and leaves no interface", async () => {
    await add("a");
    const before = links();
    const twice = await world.cni({ command: "ADD", pod: "a", config: config() });
    expect(twice.json).toMatchObject({
      code: 999,
      msg: "failed to allocate for range 0: 10.244.1.2 has been allocated to a, duplicate allocation is not allowed",
    });
    const routes = [{ dst: "10.9.0.0/16", gw: "192.168.9.9" }];
    const unreachable = await world.cni({
      command: "ADD",
      pod: "b",
      config: config({}, { routes }),
    });
    expect(unreachable.code).toBe(1);
    expect(unreachable.json.msg).toMatch(
      /failed to configure "eth0": .*Nexthop has invalid gateway/,
    );
    world.inPod("c", "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other");
    const taken = await world.cni({ command: "ADD", pod: "c", config: config() });
    expect(taken.json.msg).toMatch(/container veth name \("eth0"\) .* already exists/);
    expect(links()).toEqual(before);
    expect(reservations()).toEqual(["10.244.1.2"]);
  });

  test("a range that is used up says so, and the freed address comes back last", async () => {
    const ipam = {
      ranges: [[{ subnet: "10.244.1.0/24", rangeStart: "10.244.1.5", rangeEnd: "10.244.1.7" }]],
    };
    for (const [pod, ip] of [
      ["a", 5],
      ["b", 6],
    ] as const) {
      expect((await add(pod, {}, ipam)).ips?.[0]?.address).toBe(`10.244.1.${ip}/24`);
    }
    await world.cni({ command: "DEL", pod: "a", config: config({}, ipam) });
    expect((await add("c", {}, ipam)).ips?.[0]?.address).toBe("10.244.1.7/24");
    expect((await add("d", {}, ipam)).ips?.[0]?.address).toBe("10.244.1.5/24");
    const full = await world.cni({ command: "ADD", pod: "e", config: config({}, ipam) });
    expect(full.json.msg).toBe(
      "failed to allocate for range 0: no IP addresses available in range set: 10.244.1.5-10.244.1.7",
    );
  });

  test("two families, a default gateway, a wished address and DNS", async () => {
    const ipam = {
      ranges: [[{ subnet: "10.244.1.0/24" }], [{ subnet: "fd00:1::/64" }]],
      routes: [],
    };
    const result = await add(
      "a",
      {
        isDefaultGateway: true,
        dns: { nameservers: ["10.96.0.10"] },
        runtimeConfig: { ips: ["10.244.1.77"] },
      },
      ipam,
    );
    expect(result.ips?.map((ip) => ip.address)).toEqual(["10.244.1.77/24", "fd00:1::2/64"]);
    expect(result.routes).toEqual([
      { dst: "0.0.0.0/0", gw: "10.244.1.1" },
      { dst: "::/0", gw: "fd00:1::1" },
    ]);
    expect(result.dns).toEqual({ nameservers: ["10.96.0.10"] });
    expect(world.inPod("a", "ip", "-6", "route")).toContain("default via fd00:1::1 dev eth0");
    expect(world.inPod("a", "busybox", "ping", "-6", "-c1", "-W3", "fd00:1::1")).toContain(
      "1 packets received",
    );
  });

  test("GC keeps the valid and takes the rest", async () => {
    for (const pod of ["a", "b", "c"]) await add(pod);
    const valid = [{ containerID: "b", ifname: "eth0" }];
    const gc = await world.cni({
      command: "GC",
      config: config({ "cni.dev/valid-attachments": valid }),
    });
    expect(gc).toMatchObject({ code: 0 });
    expect(reservations()).toEqual(["10.244.1.3"]);
    expect(links()).toHaveLength(3);
    expect(world.inPod("b", "busybox", "ping", "-c1", "-W2", "10.244.1.1")).toContain(
      "1 packets received",
    );
    const forgot = await world.cni({ command: "GC", config: config() });
    expect(forgot.json).toMatchObject({ code: 7, msg: "missing cni.dev/valid-attachments" });
  });

  test("DEL after the namespace is gone, and after everything is gone", async () => {
    await add("a");
    const options = { command: "DEL", pod: "a", config: config() };
    expect(await world.cni({ ...options, netns: "/run/netns/nk-test-gone" })).toMatchObject({
      code: 0,
    });
    expect(links()).toEqual(["lo", "cni0"]);
    expect(reservations()).toEqual([]);
    expect(await world.cni({ ...options, netns: "" })).toMatchObject({ code: 0 });
  });

  test("STATUS, VERSION, and the plugin's own namespace refused", async () => {
    expect(await world.cni({ command: "STATUS", config: config() })).toMatchObject({
      code: 0,
      stdout: "",
    });
    writeFileSync(join(world.dir, "file"), "");
    const bad = config({}, { dataDir: join(world.dir, "file", "x") });
    expect((await world.cni({ command: "STATUS", config: bad })).json).toMatchObject({ code: 50 });
    expect((await world.cni({ command: "VERSION", config: {} })).json).toEqual({
      cniVersion: "1.1.0",
      supportedVersions: ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"],
    });
    const own = await world.cni({
      command: "ADD",
      pod: "a",
      netns: "/proc/self/ns/net",
      config: config(),
    });
    expect(own.json).toMatchObject({ code: 8 });
  });

  test("a host port leads to the pod, from outside, from the node and from the pod itself", async () => {
    const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: "TCP" }];
    await add("a", { runtimeConfig: { portMappings } });
    world.host(
      "ip",
      "link",
      "add",
      "vout",
      "up",
      "type",
      "veth",
      "peer",
      "eth0",
      "netns",
      world.pod("out"),
    );
    world.host("ip", "addr", "add", "192.168.9.1/24", "dev", "vout");
    world.inPod("out", "ip", "addr", "add", "192.168.9.2/24", "dev", "eth0");
    world.inPod("out", "ip", "link", "set", "eth0", "up");
    world.inPod("a", "ip", "link", "set", "lo", "up");
    const listen =
      "require('net').createServer((s) => s.end('hello\\n')).listen(80, () => console.log())";
    const server = spawn("nsenter", [`--net=${world.pod("a")}`, process.execPath, "-e", listen]);
    try {
      await new Promise((resolve) => server.stdout.once("data", resolve));
      const get = (from: string, ip: string) => {
        const argv = ["busybox", "nc", "-w", "2", ip, "8080"];
        return from === "host" ? world.host(...argv) : world.inPod(from, ...argv);
      };
      expect(get("out", "192.168.9.1")).toBe("hello\n");
      expect(get("host", "192.168.9.1")).toBe("hello\n");
      expect(get("host", "127.0.0.1")).toBe("hello\n");
      expect(get("a", "10.244.1.1")).toBe("hello\n");
    } finally {
      server.kill("SIGKILL");
    }
  });

  test(`${cycles} times ADD and DEL leave nothing behind`, { timeout: 120_000 }, async () => {
    await add("stays");
    const before = [
      links(),
      world.host("iptables-save", "-t", "nat"),
      readdirSync(join(world.dataDir, "net")),
    ];
    for (let i = 0; i < cycles; i++) {
      await add("a");
      expect(await world.cni({ command: "DEL", pod: "a", config: config() })).toMatchObject({
        code: 0,
      });
    }
    const after = [
      links(),
      world.host("iptables-save", "-t", "nat"),
      readdirSync(join(world.dataDir, "net")),
    ];
    const withoutTimes = (state: unknown) => JSON.stringify(state).replaceAll(/# [^\\]*/g, "");
    expect(withoutTimes(after)).toBe(withoutTimes(before));
  });

  test("rules of host ports and masquerade go with their pods", async () => {
    const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];
    const extra = { ipMasq: true, runtimeConfig: { portMappings } };
    await add("a", extra);
    const first = world.host("iptables-save", "-t", "nat");
    expect(first).toMatch(/CNI-DN-[0-9a-f]+ .*--dport 8080 -j DNAT --to-destination 10.244.1.2:80/);
    await add("b", extra);
    const valid = [{ containerID: "a", ifname: "eth0" }];
    await world.cni({ command: "GC", config: config({ "cni.dev/valid-attachments": valid }) });
    const rules = (text: string) =>
      text
        .split("\n")
        .filter((l) => l.startsWith("-A"))
        .sort();
    expect(rules(world.host("iptables-save", "-t", "nat"))).toEqual(rules(first));
    expect(await world.cni({ command: "DEL", pod: "a", config: config(extra) })).toMatchObject({
      code: 0,
    });
    expect(world.host("iptables-save", "-t", "nat")).not.toContain("10.244.1.2");
  });

  test.skipIf(!hasUpstream)(
    "upstream's plugin removes what ours made, and the other way",
    async () => {
      const conf = { ...config({ ipMasq: true }), cniVersion: "1.0.0" };
      const ours = join(world.dir, "bin", "cni-bridge");
      const theirs = join(upstreamBin, "bridge");
      for (const [adds, dels] of [
        [ours, theirs],
        [theirs, ours],
      ]) {
        const added = await world.cni({ command: "ADD", pod: "a", config: conf, plugin: adds! });
        expect(added).toMatchObject({ code: 0 });
        const checked = { ...conf, prevResult: added.json };
        expect(
          await world.cni({ command: "CHECK", pod: "a", config: checked, plugin: dels! }),
        ).toMatchObject({ code: 0 });
        expect(
          await world.cni({ command: "DEL", pod: "a", config: conf, plugin: dels! }),
        ).toMatchObject({ code: 0 });
        expect(links()).toEqual(["lo", "cni0"]);
        expect(reservations()).toEqual([]);
        expect(world.host("iptables-save", "-t", "nat")).not.toContain("CNI-");
      }
    },
  );

  test("loopback", async () => {
    const plugin = join(world.dir, "bin", "loopback");
    const conf = { cniVersion: "0.3.1", name: "cni-loopback", type: "loopback" };
    const reply = await world.cni({ command: "ADD", pod: "a", config: conf, plugin });
    expect(reply).toMatchObject({
      code: 0,
      json: { cniVersion: "0.3.1", ips: [{ version: "4", address: "127.0.0.1/8" }] },
    });
    expect(world.inPod("a", "busybox", "ping", "-c1", "127.0.0.1")).toContain("1 packets received");
    expect(read(plugin).startsWith("#!/bin/sh\n")).toBe(true);
  });
});
