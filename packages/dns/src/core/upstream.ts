/**
 * Other name servers: how they are written, and which one is asked next.
 *
 * Shapes  Upstream  host and port, from "10.0.0.1", "10.0.0.1:5353", "[fd00::1]:53", "fd00::1"
 * Errors  parseUpstream answers undefined for what is none
 * Source  CoreDNS plugin/forward (health by failures), resolv.conf(5)
 */
import { parseIP } from "./address.ts";

export interface Upstream {
  host: string;
  port: number;
}

export function parseUpstream(text: string): Upstream | undefined {
  if (parseIP(text) !== undefined) return { host: text, port: 53 };
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  if (parseIP(host) === undefined || Number(port) < 1 || Number(port) > 65535) return undefined;
  return { host, port: Number(port) };
}

export const formatUpstream = ({ host, port }: Upstream): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** "nameserver 10.0.0.1" lines of resolv.conf. */
export function nameserversOf(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
}

interface Health {
  failures: number;
  failedMs: number;
}

/** After two failures in a row a server rests, unless all do. */
export class UpstreamChooser {
  readonly #upstreams: readonly Upstream[];
  readonly #health = new Map<Upstream, Health>();
  readonly #restMs: number;
  #turn = 0;

  constructor(upstreams: readonly Upstream[], restMs = 5000) {
    this.#upstreams = upstreams;
    this.#restMs = restMs;
  }

  /** All of them, in the order to be tried. */
  order(nowMs: number): Upstream[] {
    const start = this.#upstreams.length === 0 ? 0 : this.#turn++ % this.#upstreams.length;
    const all = [...this.#upstreams.slice(start), ...this.#upstreams.slice(0, start)];
    const rests = (upstream: Upstream) => {
      const health = this.#health.get(upstream);
      return health !== undefined && health.failures >= 2 && nowMs - health.failedMs < this.#restMs;
    };
    return [...all.filter((u) => !rests(u)), ...all.filter(rests)];
  }

  succeeded(upstream: Upstream): void {
    this.#health.delete(upstream);
  }

  failed(upstream: Upstream, nowMs: number): void {
    const failures = (this.#health.get(upstream)?.failures ?? 0) + 1;
    this.#health.set(upstream, { failures, failedMs: nowMs });
  }
}
