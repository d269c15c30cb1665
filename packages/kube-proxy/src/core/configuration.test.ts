/** Configuration: upstream's defaults, and wrong fields in upstream's words. */
import { expect, test } from "vitest";
import { ConfigurationError, conntrackSysctls, parseConfiguration } from "./configuration.ts";

test("an empty configuration is upstream's defaults, save the shorter batching", () => {
  expect(parseConfiguration({})).toMatchObject({
    healthz: { host: "0.0.0.0", port: 10256 },
    metrics: { host: "127.0.0.1", port: 10249 },
    masqueradeBit: 14,
    localhostNodePorts: true,
    oomScoreAdj: -999,
    syncPeriodMs: 30_000,
    minSyncPeriodMs: 100,
    conntrack: { maxPerCore: 32_768, min: 131_072 },
  });
});

test("what is said is taken", () => {
  const read = parseConfiguration({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    clusterCIDR: "10.244.0.0/16,fd00::/48",
    healthzBindAddress: "[::1]:1234",
    metricsBindAddress: "127.0.0.1:0",
    iptables: { minSyncPeriod: "1s", syncPeriod: "1m30s", masqueradeAll: true },
    ipvs: { scheduler: "rr" },
    detectLocalMode: "BridgeInterface",
    detectLocal: { bridgeInterface: "cni0" },
  });
  expect(read).toMatchObject({
    clusterCIDR: "10.244.0.0/16,fd00::/48",
    healthz: { host: "::1", port: 1234 },
    metrics: undefined,
    minSyncPeriodMs: 1000,
    syncPeriodMs: 90_000,
    masqueradeAll: true,
    detectLocal: { mode: "BridgeInterface", bridgeInterface: "cni0" },
  });
});

test.for([
  [{ clusterCDIR: "x" }, 'strict decoding error: unknown field "clusterCDIR"'],
  [{ iptables: { fast: true } }, 'strict decoding error: unknown field "iptables.fast"'],
  [{ kind: "Pod" }, 'no kind "Pod" is registered for version "kubeproxy.config.k8s.io/v1alpha1"'],
  [
    { mode: "nftables" },
    'KubeProxyConfiguration.ProxyMode: Invalid value: "nftables": nanokube\'s kube-proxy has iptables mode only',
  ],
  [
    { clusterCIDR: "10.0.0.0" },
    'KubeProxyConfiguration.ClusterCIDR: Invalid value: "10.0.0.0": must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)',
  ],
  [
    { iptables: { masqueradeBit: 40 } },
    "KubeProxyConfiguration.IPTables.MasqueradeBit: Invalid value: 40: must be within the range [0, 31]",
  ],
  [
    { oomScoreAdj: 5000 },
    "KubeProxyConfiguration.KubeProxyLinuxConfiguration.OOMScoreAdj: Invalid value: 5000: must be within the range [-1000, 1000]",
  ],
  [{ featureGates: { Foo: true } }, "unrecognized feature gate: Foo"],
  [
    { enableProfiling: true },
    "KubeProxyConfiguration.EnableProfiling: Invalid value: true: nanokube's kube-proxy has no /debug/pprof",
  ],
  [
    { clientConnection: { qps: 50, burst: 10 } },
    "KubeProxyConfiguration.ClientConnection.QPS: Invalid value: 50: nanokube's client has no limit of its own",
  ],
  [{ iptables: { syncPeriod: "soon" } }, 'iptables.syncPeriod: invalid duration "soon"'],
  [
    { healthzBindAddress: "host:80" },
    'KubeProxyConfiguration.HealthzBindAddress: Invalid value: "host": must be a valid IP',
  ],
  [
    { detectLocalMode: "Magic" },
    'KubeProxyConfiguration.DetectLocalMode: Unsupported value: "Magic": supported values: "", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"',
  ],
  [
    { nodePortAddresses: ["primary", "10.0.0.0/8"] },
    "KubeProxyConfiguration.NodePortAddresses[0]: Invalid value: \"primary\": can't use both 'primary' and CIDRs",
  ],
] as const)("refused: %#", ([tree, message]) => {
  expect(() => parseConfiguration(tree)).toThrow(new ConfigurationError([message]));
});

test("kernel settings: the larger of per core and minimum; zero leaves the kernel's own", () => {
  const { conntrack } = parseConfiguration({ conntrack: { tcpCloseWaitTimeout: "0s" } });
  expect([...conntrackSysctls(conntrack, 8)]).toEqual([
    ["net/netfilter/nf_conntrack_max", 262_144],
    ["net/netfilter/nf_conntrack_tcp_timeout_established", 86_400],
  ]);
  expect(
    conntrackSysctls({ ...conntrack, maxPerCore: 0 }, 8).has("net/netfilter/nf_conntrack_max"),
  ).toBe(false);
});
