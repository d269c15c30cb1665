/**
 * Keeps this node's routes to the other nodes' pods: watches Nodes, writes the difference.
 *
 * Works from the routes that are there, so that a restart, a lost event or somebody's `ip route
 * del` is repaired by the next round; a round runs when a node changes, and every half minute.
 *
 * Source  k8s.io/cloud-provider/controllers/route/route_controller.go
 */
import { type Client, createInformer, nodes } from "@nanokube/client";
import { type Clock, type Exec, type Log, sleep } from "@nanokube/machinery";
import type { RouteEntry } from "../core/link-state.ts";
import {
  egressText,
  nodeRoutes,
  podNetworks,
  type RoutedNode,
  routeBatch,
  routeProtocol,
} from "../core/node-routes.ts";

export interface NodeRoutesOptions {
  client: Client;
  /** This node; "" on a machine that is no node and wants to reach all pods. */
  nodeName: string;
  exec: Exec;
  clock: Clock;
  log: Log;
  /**
   * When given, pods' traffic to anywhere else leaves with the node's address: usually the cluster
   * CIDR.
   */
  masqueradeExcept?: readonly string[];
  /**
   * The link behind which the cluster's nodes are; others' routes over other links are left alone.
   * Any link when absent: the machine is of one cluster.
   */
  device?: string;
}

export interface NodeRoutes {
  /** Runs until the signal; resolves then. The routes stay: pods outlive their agent. */
  start(signal: AbortSignal): Promise<void>;
}

const periodMs = 30_000;

export function createNodeRoutes(options: NodeRoutesOptions): NodeRoutes {
  const { client, nodeName, clock, log } = options;

  async function start(signal: AbortSignal): Promise<void> {
    const informer = createInformer({ client, resource: nodes, clock, log });
    let wake = () => {};
    let dirty = true;
    const mark = () => {
      dirty = true;
      wake();
    };
    informer.onEvent({ add: mark, update: mark, delete: mark });
    informer.start(signal);
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([informer.waitForSync(), aborted]);
    let applied = "";
    while (!signal.aborted) {
      dirty = false;
      const list = informer.indexer.list() as RoutedNode[];
      applied = await round(list, applied);
      if (dirty) continue;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const waiting = new AbortController();
      const period = sleep(clock, periodMs, waiting.signal).catch(() => undefined);
      await Promise.race([woken, period, aborted]);
      waiting.abort();
    }
  }

  /**
   * Faults are said and tried again: a route whose next hop is not there yet must not stop the
   * others.
   */
  async function round(list: readonly RoutedNode[], applied: string): Promise<string> {
    try {
      await applyRoutes(list, options);
      return await applyEgress(list, applied, options);
    } catch (error) {
      log.warn({ err: error, node: nodeName }, "routes to other nodes not written");
      return "";
    }
  }

  return { start };
}

async function run(exec: Exec, argv: string[], input = ""): Promise<string> {
  const { stdout, stderr, code } = await exec(argv, { input });
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr.trim() || `exit ${code}`}`);
  return stdout;
}

async function applyRoutes(list: readonly RoutedNode[], options: NodeRoutesOptions): Promise<void> {
  const { exec, log, nodeName, device } = options;
  const over = device === undefined ? [] : ["dev", device];
  const wanted = nodeRoutes(list, nodeName);
  const current: RouteEntry[] = [];
  for (const family of ["-4", "-6"]) {
    if (family === "-6" && !wanted.some((r) => r.dst.includes(":"))) continue;
    const argv = ["ip", "-json", family, "route", "show", "proto", routeProtocol, ...over];
    const text = (await run(exec, argv)).trim();
    if (text !== "") current.push(...(JSON.parse(text) as RouteEntry[]));
  }
  const batch = routeBatch(wanted, current);
  if (batch.length === 0) return;
  await run(exec, ["ip", "-force", "-batch", "-"], `${batch.join("\n")}\n`);
  log.info({ node: nodeName, changes: batch }, "routes to other nodes written");
}

async function applyEgress(
  list: readonly RoutedNode[],
  applied: string,
  options: NodeRoutesOptions,
): Promise<string> {
  const { exec, nodeName, masqueradeExcept } = options;
  const self = list.find((node) => node.metadata?.name === nodeName);
  const own = (self === undefined ? [] : podNetworks(self)).filter((c) => !c.includes(":"));
  if (masqueradeExcept === undefined || own.length === 0) return applied;
  const text = egressText(
    own,
    masqueradeExcept.filter((c) => !c.includes(":")),
  );
  if (text === applied) return applied;
  await run(exec, ["iptables-restore", "--noflush", "--wait", "10"], text);
  const jump = ["POSTROUTING", "-j", "NANOKUBE-EGRESS"];
  const { code } = await exec(["iptables", "-w", "10", "-t", "nat", "-C", ...jump]);
  if (code !== 0) await run(exec, ["iptables", "-w", "10", "-t", "nat", "-A", ...jump]);
  return text;
}
