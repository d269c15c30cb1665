/**
 * Reserved addresses on disk, one file an address: DATADIR/NETWORK/10.244.1.5 holds
 * "containerID\r\nifName".
 *
 * The layout is host-local's, so that either program takes over the other's reservations. An
 * address is reserved by link(2) of a complete file: exactly one of any number of parallel ADDs
 * gets it, and a crash leaves no half-written reservation. So no lock is held, and host-local's
 * `lock` file is neither needed nor touched; `last_reserved_ip.N` is a hint where to search next,
 * and a lost update of it costs nothing.
 *
 * Errors  7 the requested address is taken or foreign; 999 with host-local's words when a range set
 *         is used up
 * Source  containernetworking/plugins v1.9
 *         plugins/ipam/host-local/backend/{disk/backend.go,allocator/allocator.go}, main.go
 */
import * as fs from "node:fs";
import type { IPAMConfig } from "../core/config.ts";
import { CNIError } from "../core/errors.ts";
import { formatIP, type IP, parseIP, sameIP } from "../core/ip.ts";
import type { Allocation, Attachment } from "../core/plan.ts";
import { candidates, formatRangeSet, inRange, type Range, rangeOf } from "../core/ranges.ts";

export interface AddressStore {
  /** One address from each range set; all of them or, after an error, none. */
  reserve(ipam: IPAMConfig, at: Attachment): Allocation[];
  release(at: Attachment): void;
  has(at: Attachment): boolean;
  /** Gives back what belongs to nobody in `valid`. */
  collect(valid: readonly Attachment[]): void;
}

const lineBreak = "\r\n";
const keyOf = (at: Attachment): string => `${at.containerID}${lineBreak}${at.ifName}`;

export function openAddressStore(dataDir: string, network: string): AddressStore {
  const dir = `${dataDir}/${network}`;

  /** File name → what stands in it; files that vanish while we look are nobody's. */
  function* entries(): Generator<[file: string, key: string]> {
    for (const file of list(dir)) {
      if (file === "lock" || file.startsWith("last_reserved_ip.")) continue;
      const text = readOrUndefined(`${dir}/${file}`);
      if (text !== undefined) yield [file, text.trim()];
    }
  }

  /** Files of very old host-locals hold the container's id alone. */
  function filesOf(at: Attachment): string[] {
    const all = [...entries()];
    const exact = all.filter(([, key]) => key === keyOf(at));
    const found = exact.length > 0 ? exact : all.filter(([, key]) => key === at.containerID);
    return found.map(([file]) => file);
  }

  function release(at: Attachment): void {
    for (const file of filesOf(at)) fs.rmSync(`${dir}/${file}`, { force: true });
  }

  function reserve(ipam: IPAMConfig, at: Attachment): Allocation[] {
    fs.mkdirSync(dir, { recursive: true, mode: 0o755 });
    const held = filesOf(at).map(parseIP);
    const temporary = `${dir}/.reserving.${process.pid}`;
    fs.writeFileSync(temporary, keyOf(at), { mode: 0o600 });
    const requested = [...ipam.requested];
    const taken: string[] = [];
    try {
      const allocations = ipam.rangeSets.map((set, index) => {
        const duplicate = held.find((ip) => ip !== undefined && set.some((r) => inRange(r, ip)));
        if (duplicate !== undefined) {
          const text = `${formatIP(duplicate)} has been allocated to ${at.containerID}`;
          const why = `${text}, duplicate allocation is not allowed`;
          throw new CNIError("internal", `failed to allocate for range ${index}: ${why}`);
        }
        const wish = requested.findIndex((ip) => rangeOf(set, ip) !== undefined);
        const [ip] = wish < 0 ? [undefined] : requested.splice(wish, 1);
        const allocation = reserveOne(dir, { set, index, requested: ip, temporary });
        taken.push(formatIP(allocation.address.address));
        return allocation;
      });
      if (requested.length > 0) {
        const text = requested.map(formatIP).join(" ");
        throw new CNIError("internal", `failed to allocate all requested IPs: ${text}`);
      }
      return allocations;
    } catch (error) {
      for (const file of taken) fs.rmSync(`${dir}/${file}`, { force: true });
      throw error;
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  }

  function collect(valid: readonly Attachment[]): void {
    const keys = new Set(valid.flatMap((at) => [keyOf(at), at.containerID]));
    for (const [file, key] of entries()) {
      if (!keys.has(key)) fs.rmSync(`${dir}/${file}`, { force: true });
    }
  }

  return { reserve, release, has: (at) => filesOf(at).length > 0, collect };
}

interface Search {
  set: readonly Range[];
  index: number;
  requested: IP | undefined;
  temporary: string;
}

function reserveOne(dir: string, search: Search): Allocation {
  const { set, index, requested } = search;
  const refuse = (why: string): never => {
    throw new CNIError("internal", `failed to allocate for range ${index}: ${why}`);
  };
  const hint = `${dir}/last_reserved_ip.${index}`;
  if (requested !== undefined) {
    const range = rangeOf(set, requested)!;
    const text = formatIP(requested);
    if (sameIP(requested, range.gateway)) refuse(`requested ip ${text} is subnet's gateway`);
    if (!tryReserve(dir, requested, search.temporary)) {
      refuse(`requested IP address ${text} is not available in range set ${formatRangeSet(set)}`);
    }
    fs.writeFileSync(hint, text, { mode: 0o600 });
    return allocationOf(requested, range);
  }
  const used = new Set(list(dir));
  const last = parseIP(readOrUndefined(hint)?.trim());
  for (const { ip, range } of candidates(set, last)) {
    if (used.has(formatIP(ip)) || !tryReserve(dir, ip, search.temporary)) continue;
    fs.writeFileSync(hint, formatIP(ip), { mode: 0o600 });
    return allocationOf(ip, range);
  }
  return refuse(`no IP addresses available in range set: ${formatRangeSet(set)}`);
}

function allocationOf(ip: IP, range: Range): Allocation {
  return { address: { address: ip, prefix: range.subnet.prefix }, gateway: range.gateway };
}

function tryReserve(dir: string, ip: IP, temporary: string): boolean {
  try {
    fs.linkSync(temporary, `${dir}/${formatIP(ip)}`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function list(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EISDIR") return undefined;
    throw error;
  }
}
