/** The pure parts, by table: addresses, ranges, requests, configuration, results, plans, rules. */
import { describe, expect, test } from "vitest";
import { parseConfig } from "./config.ts";
import { formatIP, parseIP, parseNetwork } from "./ip.ts";
import { nodeRoutes, routeBatch } from "./node-routes.ts";
import { containerBatch, hostBatch, hostInterfaceName, resultOf } from "./plan.ts";
import {
  addText,
  attachmentsInRules,
  masqueradeRules,
  portMappingRules,
  removeText,
  sharedPortMappingRules,
} from "./port-mappings.ts";
import { candidates, canonicalRangeSet } from "./ranges.ts";
import { parseRequest } from "./request.ts";
import { parseResolvConf } from "./resolv-conf.ts";
import { toVersion } from "./result.ts";

test.for([
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["FD00:0:0:0::1", "fd00::1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ["::", "::"],
  ["010.1.2.3", undefined],
  ["10.1.2", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["1::2::3", undefined],
  ["10.1.2.256", undefined],
])("address %s is %s", ([text, want]) => {
  const ip = parseIP(text);
  expect(ip === undefined ? undefined : formatIP(ip)).toBe(want);
});

const env = {
  CNI_COMMAND: "ADD",
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/run/netns/x",
  CNI_IFNAME: "eth0",
  CNI_PATH: "/opt/cni/bin",
};
const conf = (extra: object = {}) =>
  JSON.stringify({
    cniVersion: "1.1.0",
    name: "net",
    type: "cni-bridge",
    isGateway: true,
    ipam: { type: "host-local", subnet: "10.1.0.0/24", routes: [{ dst: "0.0.0.0/0" }] },
    ...extra,
  });
const outcome = (run: () => unknown) => {
  try {
    run();
    return "accepted";
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return `${code} ${message}`;
  }
};

test.for([
  [{ CNI_COMMAND: "" }, conf(), "4 required env variables [CNI_COMMAND] missing"],
  [{ CNI_COMMAND: "PET" }, conf(), "4 unknown CNI_COMMAND: PET"],
  [
    { CNI_IFNAME: "", CNI_NETNS: "" },
    conf(),
    "4 required env variables [CNI_NETNS,CNI_IFNAME] missing",
  ],
  [{ CNI_CONTAINERID: "../x" }, conf(), "4 invalid characters in containerID"],
  [{ CNI_IFNAME: "a-name-too-long-for-linux" }, conf(), "4 interface name is too long"],
  [{ CNI_IFNAME: "a/b" }, conf(), "4 interface name contains / or : or whitespace characters"],
  [{}, "{", /^6 error unmarshall network config: /],
  [{}, conf({ name: "" }), "7 missing network name"],
  [{}, conf({ name: "../../etc" }), "7 invalid characters found in network name"],
  [{}, conf({ cniVersion: "0.2.0" }), "1 incompatible CNI versions"],
  [{}, conf({ cniVersion: undefined }), "1 incompatible CNI versions"],
  [{ CNI_COMMAND: "GC" }, conf({ cniVersion: "1.0.0" }), "1 config version does not allow GC"],
  [
    { CNI_COMMAND: "CHECK" },
    conf({ cniVersion: "0.3.1" }),
    "1 config version does not allow CHECK",
  ],
  [{}, conf(), "accepted"],
] as const)("request %#", ([change, stdin, want]) => {
  const said = outcome(() => parseRequest({ ...env, ...change }, stdin));
  if (want instanceof RegExp) expect(said).toMatch(want);
  else expect(said).toBe(want);
});

const ipam = (extra: object) => ({ ipam: { type: "host-local", ...extra } });
test.for([
  [{ vlan: 5 }, "2 unsupported field vlan: 5"],
  [{ macspoofchk: true }, "2 unsupported field macspoofchk: true"],
  [{ ipMasqBackend: "nftables" }, '2 unsupported field ipMasqBackend: "nftables"'],
  [{ runtimeConfig: { bandwidth: { ingressRate: 1 } } }, /^2 unsupported field bandwidth/],
  [ipam({ type: "dhcp" }), '2 unsupported field ipam.type: "dhcp"'],
  [
    { hairpinMode: true, promiscMode: true },
    "7 cannot set hairpin mode and promiscuous mode at the same time",
  ],
  [{ bridge: "a name" }, '7 failed to load netconf: invalid bridge name "a name"'],
  [{ mtu: -1 }, "7 failed to load netconf: mtu is not a positive number"],
  [{ isGateway: "yes" }, "7 failed to load netconf: isGateway is not a boolean"],
  [ipam({}), "7 no IP ranges specified"],
  [
    ipam({ subnet: "10.1.0.0/31" }),
    "7 invalid range set 0: Network 10.1.0.0/31 too small to allocate from",
  ],
  [ipam({ subnet: "10.1.0.5/24" }), /Network has host bits set.*network address is 10\.1\.0\.0$/],
  [
    ipam({ subnet: "10.1.0.0/24", rangeStart: "10.2.0.1" }),
    "7 invalid range set 0: RangeStart 10.2.0.1 not in network 10.1.0.0/24",
  ],
  [
    ipam({ ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "fd00::/64" }]] }),
    "7 invalid range set 0: mixed address families",
  ],
  [
    ipam({ ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "10.1.0.0/16" }]] }),
    "7 range set 0 overlaps with 1",
  ],
  [ipam({ subnet: "10.1.0.0/24", dataDir: "relative" }), "7 ipam.dataDir must be an absolute path"],
  [
    { runtimeConfig: { portMappings: [{ hostPort: 0, containerPort: 80 }] } },
    "7 Invalid host port number: 0",
  ],
  [
    {
      runtimeConfig: {
        portMappings: [{ HostPort: 80, ContainerPort: 80, HostIP: "", Protocol: "UDP" }],
      },
    },
    "accepted",
  ],
  [{ runtimeConfig: { mac: "nope" } }, '7 failed to parse MAC address "nope"'],
  [{ unknownKey: true, runtimeConfig: { dns: {} } }, "accepted"],
] as const)("configuration %#", ([change, want]) => {
  const said = outcome(() => parseConfig(parseRequest(env, conf(change))));
  if (want instanceof RegExp) expect(said).toMatch(want);
  else expect(said).toBe(want);
});

describe("ranges", () => {
  const set = canonicalRangeSet(
    [
      { subnet: "10.1.0.0/29", gateway: "10.1.0.3" },
      { subnet: "10.1.1.0/24", rangeStart: "10.1.1.8", rangeEnd: "10.1.1.9" },
    ],
    0,
  );
  const order = (last?: string) =>
    [...candidates(set, last === undefined ? undefined : parseIP(last))].map((c) =>
      formatIP(c.ip).slice(5),
    );

  test("every address once, the gateway left out", () => {
    expect(order()).toEqual(["0.1", "0.2", "0.4", "0.5", "0.6", "1.8", "1.9"]);
  });
  test("after the last reserved one first, and that one last", () => {
    expect(order("10.1.0.4")).toEqual(["0.5", "0.6", "1.8", "1.9", "0.1", "0.2", "0.4"]);
    expect(order("10.1.1.9")).toEqual(["0.1", "0.2", "0.4", "0.5", "0.6", "1.8", "1.9"]);
    expect(order("192.0.2.1")).toEqual(order());
  });
});

const at = { network: "net", containerID: "c1", ifName: "eth0" };
const allocation = {
  address: parseNetwork("10.1.0.5/24")!,
  gateway: parseIP("10.1.0.1")!,
};

test("a plan is two batches", () => {
  const config = parseConfig(
    parseRequest(env, conf({ mtu: 1450, hairpinMode: true, bridge: "br0" })),
  );
  const name = hostInterfaceName(at);
  expect(name).toMatch(/^veth[0-9a-f]{11}$/);
  expect(hostInterfaceName({ ...at, containerID: "c2" })).not.toBe(name);
  expect(hostBatch(config, at, "/run/netns/a b")).toEqual([
    `link add name ${name} mtu 1450 up master br0 type veth peer name eth0 mtu 1450 netns "/run/netns/a b"`,
    `link set dev ${name} alias "cni-bridge net c1 eth0"`,
    `link set dev ${name} type bridge_slave hairpin on`,
    `link show dev ${name}`,
    "link show dev br0",
  ]);
  expect(containerBatch("eth0", resultOf(config, [allocation]))).toEqual([
    "addr add 10.1.0.5/24 brd + dev eth0",
    "link set dev eth0 up",
    "route add 0.0.0.0/0 via 10.1.0.1 dev eth0",
    "addr show dev eth0",
  ]);
  expect(() => hostBatch(config, at, '/run/"\nlink del eth0')).toThrow("not a word for ip -batch");
});

test("results in the shape of each version", () => {
  const result = {
    interfaces: [{ name: "eth0", sandbox: "/x" }],
    ips: [{ interface: 0, address: "10.1.0.5/24", gateway: "10.1.0.1" }],
    routes: [{ dst: "0.0.0.0/0", mtu: 1400 }],
  };
  expect(toVersion(result, "1.1.0")).toEqual({ cniVersion: "1.1.0", ...result });
  expect(toVersion(result, "1.0.0")).toMatchObject({ routes: [{ dst: "0.0.0.0/0" }] });
  expect(toVersion(result, "0.4.0")).toMatchObject({
    ips: [{ version: "4", address: "10.1.0.5/24" }],
    dns: {},
  });
});

describe("rules", () => {
  const hash = () => "abcdef0123456789abcdef0123456789";
  const names = { ...at, hash, snat: true };
  const mapping = { hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP: undefined };

  test("a host port", () => {
    const set = portMappingRules([mapping], allocation.address, names);
    expect(addText(sharedPortMappingRules(true, ""), [set])).toMatchInlineSnapshot(`
      "*nat
      :CNI-HOSTPORT-DNAT - [0:0]
      :CNI-HOSTPORT-SETMARK - [0:0]
      :CNI-HOSTPORT-MASQ - [0:0]
      :CNI-DN-abcdef0123456789abcde - [0:0]
      -A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
      -A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
      -A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
      -A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
      -I POSTROUTING 1 -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
      -A CNI-DN-abcdef0123456789abcde -p tcp --dport 8080 -s 10.1.0.5/24 -j CNI-HOSTPORT-SETMARK
      -A CNI-DN-abcdef0123456789abcde -p tcp --dport 8080 -s 127.0.0.1 -j CNI-HOSTPORT-SETMARK
      -A CNI-DN-abcdef0123456789abcde -p tcp --dport 8080 -j DNAT --to-destination 10.1.0.5:80
      -A CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \\"net\\" id: \\"c1\\"" -m multiport -p tcp --destination-ports 8080 -j CNI-DN-abcdef0123456789abcde
      COMMIT
      "
    `);
    expect(
      portMappingRules([{ ...mapping, hostIP: "::1" }], allocation.address, names).own,
    ).toEqual([]);
  });

  test("removal takes what is there, and only that", () => {
    const saved = [
      ":CNI-DN-aa - [0:0]",
      '-A CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \\"net\\" id: \\"c1\\"" -j CNI-DN-aa',
      "-A CNI-DN-aa -j DNAT",
    ].join("\n");
    expect(removeText(saved, ["CNI-DN-aa", "CNI-bb"])?.split("\n")).toEqual([
      "*nat",
      ":CNI-DN-aa - [0:0]",
      '-D CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \\"net\\" id: \\"c1\\"" -j CNI-DN-aa',
      "-X CNI-DN-aa",
      "COMMIT",
      "",
    ]);
    expect(removeText(saved, ["CNI-bb"])).toBeUndefined();
    expect(attachmentsInRules(saved, "net")).toEqual(new Map([["c1", ["CNI-DN-aa"]]]));
    expect(attachmentsInRules(saved, "other").size).toBe(0);
  });

  test("masquerade leaves the network and multicast alone", () => {
    const { own, entries } = masqueradeRules([allocation.address], names);
    expect(own.map((rule) => rule.replace(/ -m comment.*" /, " "))).toEqual([
      "CNI-abcdef0123456789abcdef01 -d 10.1.0.5/24 -j ACCEPT",
      "CNI-abcdef0123456789abcdef01 ! -d 224.0.0.0/4 -j MASQUERADE",
    ]);
    expect(entries).toHaveLength(1);
  });
});

describe("routes to other nodes", () => {
  const node = (name: string, podCIDR: string, address?: string) => ({
    metadata: { name },
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: { addresses: address === undefined ? [] : [{ type: "InternalIP", address }] },
  });
  const nodes = [
    node("n3", "10.244.3.0/24"),
    node("n2", "10.244.2.0/24", "10.89.0.12"),
    node("n1", "10.244.1.0/24", "10.89.0.11"),
  ];

  test("every node's but one's own; none for a node without an address", () => {
    expect(nodeRoutes(nodes, "n1")).toEqual([{ dst: "10.244.2.0/24", via: "10.89.0.12" }]);
    expect(nodeRoutes(nodes, "")).toHaveLength(2);
  });

  test("the difference to what is there", () => {
    const wanted = nodeRoutes(nodes, "");
    const current = [
      { dst: "10.244.1.0/24", gateway: "10.89.0.11" },
      { dst: "10.244.2.0/24", gateway: "10.89.0.99" },
      { dst: "10.244.9.0/24", gateway: "10.89.0.19" },
    ];
    expect(routeBatch(wanted, current)).toEqual([
      "route del 10.244.9.0/24 proto 78",
      "route replace 10.244.2.0/24 via 10.89.0.12 proto 78",
    ]);
    expect(
      routeBatch(
        wanted,
        wanted.map((r) => ({ dst: r.dst, gateway: r.via })),
      ),
    ).toEqual([]);
  });
});

test("resolv.conf", () => {
  const text = "# a comment\nnameserver 10.0.0.1\nsearch a.b c\noptions ndots:5\n";
  expect(parseResolvConf(text)).toEqual({
    nameservers: ["10.0.0.1"],
    search: ["a.b", "c"],
    options: ["ndots:5"],
  });
});
