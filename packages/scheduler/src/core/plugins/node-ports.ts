/**
 * Host ports: one owner a node for each (address, protocol, port).
 *
 * Source  pkg/scheduler/framework/plugins/nodeports; framework/types.go HostPortInfo
 */
import type { Plugin } from "../framework.ts";
import type { HostPort } from "../node-info.ts";
import { skip, unschedulable } from "../status.ts";

const any = "0.0.0.0";

const conflict = (a: HostPort, b: HostPort) =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === any || b.ip === any || a.ip === b.ip);

export const nodePorts: Plugin = {
  name: "NodePorts",
  preFilter: ({ info }) => (info.hostPorts.length === 0 ? { status: skip } : undefined),
  filter({ info }, node) {
    for (const other of node.pods.values()) {
      for (const taken of other.hostPorts) {
        if (info.hostPorts.some((wanted) => conflict(wanted, taken))) {
          return unschedulable("node(s) didn't have free ports for the requested pod ports");
        }
      }
    }
    return undefined;
  },
};
