/**
 * Removes stale UDP flows with the conntrack program; without it, says so once and lives with them.
 *
 * Source  kubernetes pkg/proxy/conntrack/conntrack.go
 */
import type { Exec, Log } from "@nanokube/machinery";
import type { Family } from "../core/address.ts";
import { parseFlows, staleFlows } from "../core/conntrack.ts";
import type { BackedPort } from "../core/rule-book.ts";

export async function cleanStaleFlows(
  ports: readonly BackedPort[],
  family: Family,
  deps: { exec: Exec; log: Log },
): Promise<void> {
  const { exec, log } = deps;
  if (!ports.some(({ port }) => port.protocol === "udp")) return;
  const scope = ["-f", family === "IPv4" ? "ipv4" : "ipv6", "-p", "udp"];
  const { stdout, stderr, code } = await exec(["conntrack", "-L", ...scope]);
  if (code !== 0) {
    log.warn({ stderr: stderr.trim() }, "stale UDP flows not removed: conntrack does not run");
    return;
  }
  for (const flow of staleFlows(parseFlows(stdout), ports)) {
    const match = [
      ["--orig-dst", flow.destination],
      ["--orig-port-dst", String(flow.destinationPort)],
      ["--reply-src", flow.replySource],
    ].flat();
    // Status 1 is "nothing matched": the flow ended by itself.
    await exec(["conntrack", "-D", ...scope, ...match]);
    log.info({ ...flow }, "stale UDP flow removed");
  }
}
