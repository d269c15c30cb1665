/**
 * The CNI configuration of a node, written once its pod CIDR is known.
 *
 * Source  CNI 1.1 SPEC.md section 1
 */
export interface CNIConfig {
  podCIDR: string;
  mtu?: number;
}

export const cniConfigFile = "10-nanokube.conflist";

export function formatCNIConfig({ podCIDR, mtu = 1500 }: CNIConfig): string {
  const plugin = {
    type: "cni-bridge",
    bridge: "cni0",
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    mtu,
    capabilities: { portMappings: true },
    ipam: {
      type: "host-local",
      dataDir: "/var/lib/cni/networks",
      ranges: [[{ subnet: podCIDR }]],
      routes: [{ dst: "0.0.0.0/0" }],
    },
  };
  const config = { cniVersion: "1.0.0", name: "nanokube", plugins: [plugin] };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
