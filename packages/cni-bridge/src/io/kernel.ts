/**
 * Hands the plan's batches to `ip` and `iptables-restore`, in the host's namespace or in the
 * container's.
 *
 * The container's side goes through nsenter, which takes any path of a namespace (`ip -n` takes
 * names under /run/netns only), and a shell whose text is constant: it sets the interface's
 * sysctls, which are only seen from inside, and becomes `ip`.
 *
 * Errors  999 with what the program said
 * Source  containernetworking/plugins v1.9 pkg/ipam/ipam_linux.go (sysctls),
 *         pkg/ip/ipforward_linux.go
 */
import * as fs from "node:fs";
import type { networkInterfaces } from "node:os";
import type { Exec } from "@nanokube/machinery";
import { CNIError } from "../core/errors.ts";
import { type Link, parseBatchOutput, type RouteEntry } from "../core/link-state.ts";

export interface Kernel {
  host(what: string, batch: readonly string[]): Promise<Link[]>;
  container(what: string, batch: readonly string[], at: ContainerSide): Promise<Link[]>;
  /** All links with details, or undefined when the namespace or the device is not there. */
  show(args: readonly string[], netns?: string): Promise<Link[] | undefined>;
  /**
   * The bridge's ports, with the alias that `ip addr` does not print; none when there is no bridge.
   */
  ports(bridge: string): Promise<Link[]>;
  routes(netns: string): Promise<RouteEntry[]>;
  /** True when there was one. */
  deleteLink(name: string, netns?: string): Promise<boolean>;
  saveNat(family: 4 | 6): Promise<string>;
  restore(family: 4 | 6, text: string): Promise<void>;
  enableForwarding(family: 4 | 6): void;
  trySysctl(path: string, value: string): void;
}

/** What every command works with. */
export interface Context {
  kernel: Kernel;
  /** The host's interfaces that are up, as os.networkInterfaces() tells them. */
  interfaces: typeof networkInterfaces;
}

export interface ContainerSide {
  netns: string;
  ifName: string;
  ipv6: boolean;
  dad: boolean;
}

/**
 * $1 interface, $2 "6" with IPv6 addresses, $3 accept_dad. A missing sysctl (a kernel without IPv6)
 * is no error.
 */
const containerScript = `
c=/proc/sys/net
put() { [ -w "$2" ] && echo "$1" >"$2"; }
put 1 "$c/ipv4/conf/$1/arp_notify"
put "$3" "$c/ipv6/conf/$1/accept_dad"
[ "$3" = 1 ] && put 1 "$c/ipv6/conf/$1/enhanced_dad"
if [ "$2" = 6 ]; then
  put 0 "$c/ipv6/conf/lo/disable_ipv6"
  put 0 "$c/ipv6/conf/$1/disable_ipv6"
  put 1 "$c/ipv6/conf/$1/keep_addr_on_down"
fi
exec ip -json -batch -
`;

const inside = (netns: string | undefined): string[] =>
  netns === undefined ? [] : ["nsenter", `--net=${netns}`];

export function createKernel(exec: Exec): Kernel {
  async function run(what: string, argv: string[], input = ""): Promise<string> {
    const { stdout, stderr, code } = await exec(argv, { input });
    if (code !== 0) throw new CNIError("internal", `${what}: ${stderr.trim() || `exit ${code}`}`);
    return stdout;
  }
  const batchText = (batch: readonly string[]): string => `${batch.join("\n")}\n`;
  const tables = (family: 4 | 6): string => (family === 4 ? "iptables" : "ip6tables");

  return {
    async host(what, batch) {
      return parseBatchOutput(await run(what, ["ip", "-json", "-batch", "-"], batchText(batch)));
    },
    async container(what, batch, at) {
      const args = [at.ifName, at.ipv6 ? "6" : "4", at.dad ? "1" : "0"];
      const argv = [...inside(at.netns), "sh", "-c", containerScript, "sh", ...args];
      return parseBatchOutput(await run(what, argv, batchText(batch)));
    },
    async show(args, netns) {
      const argv = [...inside(netns), "ip", "-json", "-details", "addr", "show", ...args];
      const { stdout, code } = await exec(argv);
      return code === 0 ? parseBatchOutput(stdout) : undefined;
    },
    async ports(bridge) {
      const { stdout, code } = await exec(["ip", "-json", "link", "show", "master", bridge]);
      return code === 0 ? parseBatchOutput(stdout) : [];
    },
    async routes(netns) {
      const argv = [
        ...inside(netns),
        "sh",
        "-c",
        "ip -json route show table all; ip -json -6 route show table all",
      ];
      const text = await run("failed to read routes", argv);
      return text.split("\n").flatMap((l) => (l === "" ? [] : (JSON.parse(l) as RouteEntry[])));
    },
    async deleteLink(name, netns) {
      const argv = [...inside(netns), "ip", "link", "del", "dev", name];
      const { stderr, code } = await exec(argv);
      if (code === 0) return true;
      // The link, or by now the namespace: a repeated DEL finds neither, and is no error.
      if (/Cannot find device|No such file|Invalid argument/.test(stderr)) return false;
      throw new CNIError("internal", `failed to delete "${name}": ${stderr.trim()}`);
    },
    saveNat: (family) => run("failed to list chains", [`${tables(family)}-save`, "-t", "nat"]),
    async restore(family, text) {
      const argv = [`${tables(family)}-restore`, "--noflush", "--wait", "10"];
      await run("failed to set up iptables", argv, text);
    },
    enableForwarding(family) {
      const path = family === 4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding";
      try {
        if (fs.readFileSync(`/proc/sys/net/${path}`, "latin1").trim() === "1") return;
        fs.writeFileSync(`/proc/sys/net/${path}`, "1");
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new CNIError("internal", `failed to enable forwarding: ${why}`);
      }
    },
    trySysctl(path, value) {
      try {
        fs.writeFileSync(`/proc/sys/net/${path}`, value);
      } catch {
        // Not every kernel has it; what must be there is written by enableForwarding.
      }
    },
  };
}
