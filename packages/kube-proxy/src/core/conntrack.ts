/**
 * UDP flows that still lead to an endpoint which is gone.
 *
 * A UDP sender keeps its port, and conntrack keeps sending its packets where the first one went,
 * for as long as they come. So after a change, flows to a service address that end elsewhere than
 * at a serving endpoint are removed. A service without any endpoint keeps them.
 *
 * Shapes  Flow  one line of `conntrack -L -p udp`, as far as it is looked at
 * Source  kubernetes pkg/proxy/conntrack/cleanup.go CleanStaleEntries
 */
import { joinHostPort } from "./address.ts";
import type { BackedPort } from "./rule-book.ts";

export interface Flow {
  destination: string;
  destinationPort: number;
  /** Who answers: the endpoint. */
  replySource: string;
  replySourcePort: number;
}

/**
 * "udp 17 29 src=10.244.1.5 dst=10.96.0.10 sport=40000 dport=53 [UNREPLIED] src=10.244.1.2 dst=…
 * sport=53 dport=40000 …"
 */
export function parseFlows(text: string): Flow[] {
  const flows: Flow[] = [];
  for (const line of text.split("\n")) {
    const values = (key: string) =>
      [...line.matchAll(new RegExp(`\\b${key}=(\\S+)`, "g"))].map((match) => match[1]!);
    const [destination] = values("dst");
    const [destinationPort] = values("dport");
    const replySource = values("src")[1];
    const replySourcePort = values("sport")[1];
    if (destination === undefined || destinationPort === undefined) continue;
    if (replySource === undefined || replySourcePort === undefined) continue;
    flows.push({
      destination,
      destinationPort: Number(destinationPort),
      replySource,
      replySourcePort: Number(replySourcePort),
    });
  }
  return flows;
}

export function staleFlows(flows: readonly Flow[], ports: readonly BackedPort[]): Flow[] {
  const byAddress = new Map<string, Set<string>>();
  const byNodePort = new Map<number, Set<string>>();
  for (const { port, endpoints } of ports) {
    if (port.protocol !== "udp") continue;
    const serving = new Set(endpoints.filter((e) => e.serving).map((e) => e.text));
    if (serving.size === 0) continue;
    for (const ip of [port.clusterIP, ...port.loadBalancerVIPs, ...port.externalIPs]) {
      byAddress.set(joinHostPort(ip, port.port), serving);
    }
    if (port.nodePort !== 0) byNodePort.set(port.nodePort, serving);
  }
  const stale = flows.filter((flow) => {
    const serving =
      byAddress.get(joinHostPort(flow.destination, flow.destinationPort)) ??
      byNodePort.get(flow.destinationPort);
    return (
      serving !== undefined && !serving.has(joinHostPort(flow.replySource, flow.replySourcePort))
    );
  });
  // `conntrack -D` takes all flows that match: one command for each pair, not for each client.
  const key = (f: Flow) => `${f.destination} ${f.destinationPort} ${f.replySource}`;
  return [...new Map(stale.map((flow) => [key(flow), flow])).values()];
}
