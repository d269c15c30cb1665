/**
 * DEL: link, rules, then the address, which nobody may get while its old holder can still answer
 * for it.
 *
 * What is gone already is no error: a runtime repeats DEL until it succeeds, and after a reboot
 * nothing is left.
 *
 * Source  containernetworking/plugins v1.9 plugins/main/bridge/bridge.go cmdDel
 */
import { existsSync } from "node:fs";
import type { BridgeConfig } from "../core/config.ts";
import { type Attachment, hostInterfaceName } from "../core/plan.ts";
import type { Request } from "../core/request.ts";
import { openAddressStore } from "./address-store.ts";
import { removeRules } from "./firewall.ts";
import type { Context } from "./kernel.ts";

export interface Deletion {
  config: BridgeConfig;
  at: Attachment;
  request: Request;
}

export async function del(deletion: Deletion, context: Context): Promise<undefined> {
  const { config, at, request } = deletion;
  const gone = await context.kernel.deleteLink(hostInterfaceName(at));
  // Upstream's bridge plugin may have made it, with a host end of another name.
  if (!gone && request.netns !== "" && existsSync(request.netns)) {
    await context.kernel.deleteLink(at.ifName, request.netns);
  }
  await removeRules(config, at, context.kernel);
  if (config.ipam !== undefined) openAddressStore(config.ipam.dataDir, config.name).release(at);
  return undefined;
}
