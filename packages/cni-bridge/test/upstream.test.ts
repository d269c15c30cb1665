/**
 * The same configuration through upstream's bridge plugin and through ours: the same result, and the same state of the kernel.
 *
 * Names and MAC addresses are each run's own, and left out.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Result } from "../src/index.ts";
import { hasUpstream, isRoot, openWorld, upstreamBin, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const v4 = [[{ subnet: "10.244.1.0/24" }]];
const both = [[{ subnet: "10.244.1.0/24" }], [{ subnet: "fd00:1::/64" }]];
const defaultRoute = [{ dst: "0.0.0.0/0" }];
const cases: [string, object, object][] = [
  [
    "as a node of a cluster",
    { isGateway: true, hairpinMode: true, mtu: 1450 },
    { ranges: v4, routes: defaultRoute },
  ],
  ["default gateway, masquerade", { isDefaultGateway: true, ipMasq: true }, { ranges: v4 }],
  ["no gateway", {}, { ranges: v4 }],
  ["promiscuous", { isGateway: true, promiscMode: true }, { ranges: v4 }],
  ["two families", { isDefaultGateway: true }, { ranges: both }],
  [
    "a route with a gateway",
    { isGateway: true },
    { ranges: v4, routes: [{ dst: "192.168.0.0/16", gw: "10.244.1.9" }] },
  ],
  ["DNS", { isGateway: true, dns: { nameservers: ["10.96.0.10"], search: ["x"] } }, { ranges: v4 }],
  [
    "a range and a gateway",
    { isGateway: true },
    {
      subnet: "10.244.1.0/24",
      rangeStart: "10.244.1.20",
      rangeEnd: "10.244.1.30",
      gateway: "10.244.1.254",
    },
  ],
];

/** What differs from run to run. */
const own = [
  "ifindex",
  "link_index",
  "link_netnsid",
  "ifname",
  "link",
  "address",
  "ifalias",
  "hold_timer",
  "txqlen", // of a device without a queue
  "nodad", // ours: the gateway of a new bridge answers at once
  "tentative",
];
const volatile =
  /timer|_id$|^(designated|message_age|gc_|topology|hello|root)|num_[tr]x|^(gso|tso|gro)|promiscuity|allmulti|valid_life/;

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !own.includes(key) && !volatile.test(key))
      .map(([key, inner]) => [key, plain(inner)]),
  );
}

/** Link-local addresses come from MAC addresses, and come a moment later. */
const withoutLinkLocal = (links: { addr_info?: { scope?: string }[] }[]) =>
  links.map((link) => ({ ...link, addr_info: link.addr_info?.filter((a) => a.scope !== "link") }));

async function observe(plugin: string | undefined, extra: object, ipam: object) {
  const config = {
    cniVersion: "1.0.0",
    name: "net",
    type: "bridge",
    bridge: "cni0",
    ...extra,
    ipam: { type: "host-local", dataDir: world.dataDir, ...ipam },
  };
  const options = plugin === undefined ? {} : { plugin };
  const { json, code, stdout } = await world.cni({ command: "ADD", pod: "a", config, ...options });
  expect(code, stdout).toBe(0);
  const result = json as Result;
  const host = result.interfaces![1]!.name;
  const show = (...argv: string[]) =>
    withoutLinkLocal(JSON.parse(world.host("ip", "-j", "-d", "addr", "show", ...argv)));
  const state = {
    result: {
      ...result,
      interfaces: result.interfaces?.map((i) => ({ ...i, mac: "", name: "" })),
      dns: result.dns ?? {},
    },
    bridge: plain(show("dev", "cni0")),
    port: plain(show("dev", host)),
    pod: plain(
      withoutLinkLocal(
        JSON.parse(world.inPod("a", "ip", "-j", "-d", "addr", "show", "dev", "eth0")),
      ),
    ),
    routes: JSON.parse(world.inPod("a", "ip", "-j", "route")),
    forwarding: world.host(
      "cat",
      "/proc/sys/net/ipv4/ip_forward",
      "/proc/sys/net/ipv6/conf/all/forwarding",
    ),
    arpNotify: world.inPod(
      "a",
      "cat",
      "/proc/sys/net/ipv4/conf/eth0/arp_notify",
      "/proc/sys/net/ipv6/conf/eth0/accept_dad",
    ),
    nat: world
      .host("iptables-save", "-t", "nat")
      .split("\n")
      .filter((l) => /^[-:].*CNI/.test(l)),
  };
  const checked = await world.cni({
    command: "CHECK",
    pod: "a",
    config: { ...config, prevResult: json },
  });
  expect(checked, checked.stdout).toMatchObject({ code: 0 });
  return state;
}

const why = !isRoot
  ? "needs root"
  : !hasUpstream
    ? "containernetworking-plugins is not installed"
    : "";
describe.skipIf(why !== "")("beside upstream's bridge plugin", () => {
  test.for(cases)("%s", async ([, extra, ipam]) => {
    const theirs = await observe(`${upstreamBin}/bridge`, extra, ipam);
    world.close();
    world = await openWorld();
    const ours = await observe(undefined, extra, ipam);
    const fix = (state: typeof ours) =>
      JSON.parse(
        JSON.stringify(state)
          .replaceAll(/\/run\/netns\/[\w-]+/g, "NETNS")
          .replaceAll(/\/tmp\/[\w-]+/g, "TMP"),
      );
    expect(fix(ours)).toEqual(fix(theirs));
  });
});
