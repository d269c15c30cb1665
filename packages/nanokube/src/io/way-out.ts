/**
 * The way out of a node: TCP connections of its pods to addresses outside the cluster go through
 * the proxy on the machine's side of the bridge.
 *
 * The machine forwards nothing and its firewall is not ours to change, so the connections are
 * caught by rules in the node's own namespace, asked of the kernel where they wanted to go, and
 * tunnelled.
 *
 * Errors  a destination that cannot be reached resets the connection, after it was accepted
 * Source  RFC 9110 section 9.3.6
 */
import { request } from "node:http";
import { BlockList, createServer, type Server, type Socket } from "node:net";
import type { Exec, Log } from "@nanokube/machinery";
import { wantedDestination, wayOutJumps, wayOutRules } from "../core/way-out.ts";

export interface WayOutOptions {
  exec: Exec;
  log: Log;
  /** The proxy, on the machine. */
  proxy: { host: string; port: number };
  /** Networks of the cluster, whose traffic stays. */
  inside: readonly string[];
}

export interface WayOut {
  close(): Promise<void>;
}

export const wayOutPort = 15001;

async function writeRules({ exec, inside }: WayOutOptions): Promise<void> {
  const input = wayOutRules(inside, wayOutPort);
  const written = await exec(["iptables-restore", "--noflush"], { input });
  if (written.code !== 0) throw new Error(`way out: ${written.stderr.trim()}`);
  for (const jump of wayOutJumps) {
    const there = await exec(["iptables", "-t", "nat", "-C", ...jump]);
    if (there.code !== 0) await exec(["iptables", "-t", "nat", "-A", ...jump]);
  }
}

/**
 * Where the client wanted to go; REDIRECT has put our own address in its place. Who came to us by
 * our own address gets nothing, or we would tunnel to ourselves for ever.
 */
async function destinationOf(
  client: Socket,
  { exec, inside }: WayOutOptions,
): Promise<string | undefined> {
  const { remoteAddress = "", remotePort = 0 } = client;
  const source = ["--orig-src", remoteAddress.replace(/^::ffff:/, "")];
  const port = ["--orig-port-src", String(remotePort)];
  const { stdout } = await exec(["conntrack", "-L", "-p", "tcp", ...source, ...port]);
  const wanted = wantedDestination(stdout);
  if (wanted === undefined) return undefined;
  const cluster = new BlockList();
  for (const cidr of inside) {
    const [network, bits] = cidr.split("/") as [string, string];
    cluster.addSubnet(network, Number(bits));
  }
  return cluster.check(wanted.host) ? undefined : `${wanted.host}:${wanted.port}`;
}

async function tunnel(client: Socket, options: WayOutOptions): Promise<void> {
  const { log, proxy } = options;
  client.on("error", () => {});
  const destination = await destinationOf(client, options);
  if (destination === undefined) return void client.resetAndDestroy();
  const asked = request({ ...proxy, method: "CONNECT", path: destination });
  asked.once("connect", (response, server) => {
    if (response.statusCode !== 200) {
      log.debug({ destination, status: response.statusCode }, "no way out");
      return void client.resetAndDestroy();
    }
    server.once("error", () => client.resetAndDestroy());
    client.once("close", () => server.destroy());
    client.pipe(server).pipe(client);
  });
  asked.once("error", (err) => {
    log.debug({ err, destination }, "no way out");
    client.resetAndDestroy();
  });
  asked.end();
}

export async function startWayOut(options: WayOutOptions): Promise<WayOut> {
  const open = new Set<Socket>();
  const server: Server = createServer((client) => {
    open.add(client);
    client.once("close", () => open.delete(client));
    tunnel(client, options).catch(() => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(wayOutPort, "0.0.0.0", resolve);
  });
  await writeRules(options);
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
