/**
 * ADD: address, bridge, veth pair, routes, rules; in that order, and undone as a whole when a step
 * fails.
 *
 * Two process starts when the bridge stands already: one `ip` on the host, one inside.
 *
 * Source  containernetworking/plugins v1.9 plugins/main/bridge/bridge.go cmdAdd
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { BridgeConfig } from "../core/config.ts";
import { CNIError } from "../core/errors.ts";
import { formatIP } from "../core/ip.ts";
import { type Link, planBridge } from "../core/link-state.ts";
import {
  type Allocation,
  type Attachment,
  configureBridgeBatch,
  containerBatch,
  createBridgeBatch,
  type GatewayAddress,
  gatewayAddresses,
  hostBatch,
  hostInterfaceName,
  resultOf,
} from "../core/plan.ts";
import { parseResolvConf } from "../core/resolv-conf.ts";
import type { Result } from "../core/result.ts";
import { openAddressStore } from "./address-store.ts";
import { addRules, removeRules } from "./firewall.ts";
import type { Context } from "./kernel.ts";

export interface Addition {
  config: BridgeConfig;
  at: Attachment;
  netns: string;
}

export async function add(addition: Addition, context: Context): Promise<Result> {
  const { config, at } = addition;
  const store = config.ipam && openAddressStore(config.ipam.dataDir, config.name);
  const allocations = store?.reserve(config.ipam!, at) ?? [];
  let linked = false;
  try {
    await ensureBridge(config, gatewayAddresses(config, allocations), context);
    const result = withResolvConf(config, resultOf(config, allocations));
    const host = await createPair(addition, context);
    linked = true;
    const inside = await configureContainer(addition, result, allocations, context);
    for (const family of config.isGateway ? familiesOf(allocations) : []) {
      context.kernel.enableForwarding(family);
    }
    await addRules(config, at, allocations, context.kernel);
    return { ...result, interfaces: interfacesOf(addition, [...host, inside]) };
  } catch (error) {
    // What failed is what the runtime hears; whatever else cannot be undone, DEL and GC find.
    if (linked) {
      await context.kernel.deleteLink(hostInterfaceName(at)).catch(() => false);
      await removeRules(config, at, context.kernel).catch(() => undefined);
    }
    if (allocations.length > 0) store?.release(at);
    throw error;
  }
}

const familiesOf = (allocations: readonly Allocation[]): (4 | 6)[] => [
  ...new Set(allocations.map((a) => a.address.address.family)),
];

function withResolvConf(config: BridgeConfig, result: Result): Result {
  const path = config.ipam?.resolvConf;
  if (result.dns !== undefined || path === undefined) return result;
  return { ...result, dns: parseResolvConf(readFileSync(path, "utf8")) };
}

/** Most calls find the bridge as they want it, and learn so without starting a process. */
async function ensureBridge(
  config: BridgeConfig,
  wanted: readonly GatewayAddress[],
  context: Context,
): Promise<void> {
  if (wanted.length > 0 && !config.promiscMode && stands(config, wanted, context)) return;
  const { kernel } = context;
  const look = async () => (await kernel.show(["dev", config.bridge]))?.[0];
  let link = await look();
  if (link === undefined) {
    try {
      await kernel.host(`could not add "${config.bridge}"`, createBridgeBatch(config));
    } catch (error) {
      // Another ADD may have been quicker; only when nothing is there has it failed.
      if ((await look()) === undefined) throw error;
    }
    kernel.trySysctl(`ipv6/conf/${config.bridge}/accept_ra`, "0");
    link = await look();
  }
  for (let attempt = 0; link !== undefined; attempt++) {
    const plan = planBridge(config, link, wanted);
    if ("refuse" in plan) {
      throw new CNIError("internal", `failed to create bridge "${config.bridge}": ${plan.refuse}`);
    }
    if (plan.ready) return;
    try {
      await kernel.host("failed to set bridge addr", configureBridgeBatch(config, plan));
      return;
    } catch (error) {
      if (attempt > 0) throw error; // the first time it may be that another ADD was quicker
      link = await look();
    }
  }
  throw new CNIError("internal", `could not lookup "${config.bridge}": Link not found`);
}

function stands(
  config: BridgeConfig,
  wanted: readonly GatewayAddress[],
  context: Context,
): boolean {
  const present = context.interfaces()[config.bridge] ?? [];
  return wanted.every((gateway) =>
    present.some((p) => p.cidr === `${formatIP(gateway.address)}/${gateway.prefix}`),
  );
}

async function createPair(addition: Addition, context: Context): Promise<Link[]> {
  const { config, at, netns } = addition;
  try {
    return await context.kernel.host("failed to make veth pair", hostBatch(config, at, netns));
  } catch (error) {
    if (!(error instanceof CNIError) || !error.message.includes("File exists")) {
      // The link is there when only a later line of the batch failed.
      await context.kernel.deleteLink(hostInterfaceName(at)).catch(() => false);
      throw error;
    }
    const peer = `peer provided ("${hostInterfaceName(at)}") already exists`;
    throw new CNIError("internal", `container veth name ("${at.ifName}") ${peer}`);
  }
}

async function configureContainer(
  addition: Addition,
  result: Result,
  allocations: readonly Allocation[],
  context: Context,
): Promise<Link> {
  const { config, at, netns } = addition;
  const side = {
    netns,
    ifName: at.ifName,
    ipv6: familiesOf(allocations).includes(6),
    dad: config.enableDAD,
  };
  const batch = containerBatch(at.ifName, result);
  const links = await context.kernel.container(`failed to configure "${at.ifName}"`, batch, side);
  // The port comes up when the kernel has noticed both ends; nearly always it has by now.
  let link = links.find((l) => l.ifname === at.ifName);
  for (const waitMs of [5, 20, 50, 500, 1000, 1000]) {
    if (link?.operstate === "UP") break;
    await sleep(waitMs);
    link = (await context.kernel.show(["dev", at.ifName], netns))?.[0];
  }
  if (link === undefined) throw new CNIError("internal", `failed to lookup "${at.ifName}"`);
  if (link.operstate !== "UP") {
    throw new CNIError("internal", `bridge port in error state: ${link.operstate?.toLowerCase()}`);
  }
  return link;
}

function interfacesOf(addition: Addition, links: readonly Link[]): Result["interfaces"] {
  const mac = (name: string) => links.find((l) => l.ifname === name)?.address ?? "";
  const host = hostInterfaceName(addition.at);
  const { ifName } = addition.at;
  return [
    { name: addition.config.bridge, mac: mac(addition.config.bridge) },
    { name: host, mac: mac(host) },
    { name: ifName, mac: links.at(-1)?.address ?? "", sandbox: addition.netns },
  ];
}
