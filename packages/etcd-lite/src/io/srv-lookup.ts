/**
 * DNS as the machine is set up to ask it, for --discovery-srv.
 */
import { getServers, lookup, resolveSrv } from "node:dns/promises";
import type { SrvLookup } from "./srv-discovery.ts";

export const lookUp: SrvLookup = {
  async records(name) {
    try {
      const found = await resolveSrv(name);
      return [...found]
        .sort((a, b) => a.priority - b.priority)
        .map(({ name: target, port }) => ({ target, port }));
    } catch (error) {
      throw new Error(`lookup ${name} on ${server()}: ${faultOf(error)}`);
    }
  },
  async address(host) {
    try {
      return (await lookup(host)).address;
    } catch (error) {
      throw new Error(`lookup ${host}: ${faultOf(error)}`);
    }
  },
};

/** As Go writes it: with its port. */
function server(): string {
  const [first = "localhost"] = getServers();
  return first.includes(":") ? first : `${first}:53`;
}

function faultOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ENOTFOUND" || code === "ENODATA" ? "no such host" : message;
}
