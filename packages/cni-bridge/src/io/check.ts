/**
 * CHECK: reads the kernel's state for the comparison in core/check.ts, and looks for the
 * reservation.
 *
 * Source  containernetworking/plugins v1.9 plugins/main/bridge/bridge.go cmdCheck,
 *         plugins/ipam/host-local/main.go cmdCheck
 */
import { check } from "../core/check.ts";
import { CNIError } from "../core/errors.ts";
import { dnatChain } from "../core/port-mappings.ts";
import type { Result } from "../core/result.ts";
import { openAddressStore } from "./address-store.ts";
import type { Deletion } from "./del.ts";
import { loadHash } from "./firewall.ts";
import type { Context } from "./kernel.ts";

export async function checkAttachment(target: Deletion, context: Context): Promise<undefined> {
  const { config, at, request } = target;
  const { kernel } = context;
  const container = await kernel.show([], request.netns);
  if (container === undefined) {
    throw new CNIError("internal", `failed to open netns "${request.netns}"`);
  }
  if (config.ipam !== undefined) {
    const store = openAddressStore(config.ipam.dataDir, config.name);
    if (!store.has(at)) {
      const text = `host-local: Failed to find address added by container ${at.containerID}`;
      throw new CNIError("internal", text);
    }
  }
  const prevResult = request.config.prevResult as Result | undefined;
  if (prevResult === undefined || prevResult === null) {
    throw new CNIError("internal", "Required prevResult missing");
  }
  const host = (await kernel.show([])) ?? [];
  const routes = await kernel.routes(request.netns);
  const where = { config, ifName: at.ifName, netns: request.netns };
  check(where, prevResult, { host, container, routes });
  if (config.portMappings.length > 0) {
    const chain = dnatChain(at, await loadHash());
    if (!(await kernel.saveNat(4)).includes(`-j ${chain}\n`)) {
      throw new CNIError("internal", `could not check ipv4 dnat: chain ${chain} not found`);
    }
  }
  return undefined;
}
