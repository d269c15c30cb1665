/**
 * Takes every rule and chain of the proxy away: `kube-proxy --cleanup`.
 *
 * Source  kubernetes pkg/proxy/iptables/cleanup.go
 */
import type { Exec } from "@nanokube/machinery";
import { cleanupText } from "../core/restore-text.ts";
import { openIptables } from "./iptables.ts";

export async function cleanup(exec: Exec): Promise<void> {
  for (const family of ["IPv4", "IPv6"] as const) {
    const iptables = await openIptables(exec, family);
    if (iptables === undefined) continue;
    await iptables.restore(cleanupText(await iptables.save()));
  }
}
