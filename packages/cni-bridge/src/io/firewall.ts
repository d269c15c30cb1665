/**
 * The iptables side of an attachment: only started when the configuration or the runtime asks for
 * it.
 *
 * Source  containernetworking/plugins v1.9 plugins/meta/portmap/portmap_iptables.go forwardPorts,
 *         unforwardPorts
 */
import type { BridgeConfig } from "../core/config.ts";
import type { Allocation, Attachment } from "../core/plan.ts";
import {
  addText,
  attachmentsInRules,
  dnatChain,
  type Hash,
  masqChain,
  masqueradeRules,
  portMappingRules,
  type RuleSet,
  removeText,
  sharedPortMappingRules,
} from "../core/port-mappings.ts";
import type { Kernel } from "./kernel.ts";

/** Loaded when needed only: most pods have no rules, and node:crypto takes milliseconds. */
export async function loadHash(): Promise<Hash> {
  const { createHash } = await import("node:crypto");
  return (text) => createHash("sha512").update(text).digest("hex");
}

const asksForRules = (config: BridgeConfig): boolean =>
  config.ipMasq || config.portMappings.length > 0;

const familiesOf = (config: BridgeConfig): (4 | 6)[] => [
  ...new Set((config.ipam?.rangeSets ?? []).map((set) => set[0]!.start.family)),
];

export async function addRules(
  config: BridgeConfig,
  at: Attachment,
  allocations: readonly Allocation[],
  kernel: Kernel,
): Promise<void> {
  if (!asksForRules(config)) return;
  const hash = await loadHash();
  const names = { network: at.network, containerID: at.containerID, hash };
  for (const family of familiesOf(config)) {
    const own = allocations.map((a) => a.address).filter((n) => n.address.family === family);
    const sets: RuleSet[] = config.ipMasq ? [masqueradeRules(own, names)] : [];
    let shared: string[] = [];
    const [first] = own; // a host port leads to the first address of its family
    if (config.portMappings.length > 0 && first !== undefined) {
      const snat = { ...names, snat: config.snat };
      sets.push(portMappingRules(config.portMappings, first, snat));
      shared = sharedPortMappingRules(config.snat, await kernel.saveNat(family));
      // Lets 127.0.0.1:hostPort cross over to the bridge.
      if (config.snat && family === 4) {
        kernel.trySysctl(`ipv4/conf/${config.bridge}/route_localnet`, "1");
      }
    }
    await kernel.restore(family, addText(shared, sets));
  }
}

export async function removeRules(
  config: BridgeConfig,
  at: Attachment,
  kernel: Kernel,
): Promise<void> {
  if (!asksForRules(config)) return;
  const hash = await loadHash();
  await removeChains(config, [dnatChain(at, hash), masqChain(at, hash)], kernel);
}

async function removeChains(
  config: BridgeConfig,
  chains: readonly string[],
  kernel: Kernel,
): Promise<void> {
  for (const family of familiesOf(config)) {
    const text = removeText(await kernel.saveNat(family), chains);
    if (text !== undefined) await kernel.restore(family, text);
  }
}

/** GC: chains whose comments name a container of this network that is not valid any more. */
export async function collectRules(
  config: BridgeConfig,
  valid: ReadonlySet<string>,
  kernel: Kernel,
): Promise<void> {
  for (const family of familiesOf(config)) {
    const saved = await kernel.saveNat(family).catch(() => "");
    const stale = [...attachmentsInRules(saved, config.name)]
      .filter(([containerID]) => !valid.has(containerID))
      .flatMap(([, chains]) => chains);
    const text = stale.length > 0 ? removeText(saved, [...new Set(stale)]) : undefined;
    if (text !== undefined) await kernel.restore(family, text);
  }
}
