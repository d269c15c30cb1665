/**
 * GC: removes what belongs to no attachment that the runtime still knows.
 *
 * The runtime promises that no ADD or DEL of this network runs meanwhile. Every kind is tried,
 * whatever the others say; the errors are reported together.
 *
 * Source  CNI 1.1.0 SPEC.md, GC: Clean up any stale resources
 */
import type { BridgeConfig } from "../core/config.ts";
import { CNIError } from "../core/errors.ts";
import { type Attachment, attachmentOfAlias } from "../core/plan.ts";
import type { Request } from "../core/request.ts";
import { openAddressStore } from "./address-store.ts";
import { collectRules } from "./firewall.ts";
import type { Context } from "./kernel.ts";

export interface Collection {
  config: BridgeConfig;
  request: Request;
}

export async function collectGarbage(collection: Collection, context: Context): Promise<undefined> {
  const { config, request } = collection;
  const valid = validAttachments(config.name, request.config["cni.dev/valid-attachments"]);
  const errors: string[] = [];
  const attempt = async (step: () => unknown): Promise<void> => {
    try {
      await step();
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
  };
  for (const name of await staleLinks(config, valid, context)) {
    await attempt(() => context.kernel.deleteLink(name));
  }
  const ids = new Set(valid.map((at) => at.containerID));
  await attempt(() => collectRules(config, ids, context.kernel));
  const { ipam } = config;
  if (ipam !== undefined) {
    await attempt(() => openAddressStore(ipam.dataDir, config.name).collect(valid));
  }
  if (errors.length > 0) throw new CNIError("internal", errors.join("; "));
  return undefined;
}

function validAttachments(network: string, value: unknown): Attachment[] {
  // Absent is not "none": a runtime that forgot the list must not lose all its pods.
  if (!Array.isArray(value)) {
    throw new CNIError("invalidConfig", "missing cni.dev/valid-attachments");
  }
  return value.map((entry: { containerID?: unknown; ifname?: unknown }) => {
    if (typeof entry?.containerID !== "string" || typeof entry.ifname !== "string") {
      throw new CNIError("invalidConfig", "invalid entry in cni.dev/valid-attachments");
    }
    return { network, containerID: entry.containerID, ifName: entry.ifname };
  });
}

async function staleLinks(
  config: BridgeConfig,
  valid: readonly Attachment[],
  context: Context,
): Promise<string[]> {
  const key = (at: Attachment) => `${at.containerID} ${at.ifName}`;
  const keep = new Set(valid.map(key));
  const ports = await context.kernel.ports(config.bridge);
  return ports
    .filter((port) => {
      const at = attachmentOfAlias(port.ifalias);
      return at !== undefined && at.network === config.name && !keep.has(key(at));
    })
    .map((port) => port.ifname);
}
