/**
 * The cluster IPs of one Service: one for each of its families.
 *
 * Errors  422 with the allocator's text, 500 when a range is full
 * Source  pkg/registry/core/service/storage/alloc.go allocClusterIPs, updateClusterIPs
 */
import type { Service } from "@nanokube/api/core/v1";
import { type IPFamily, internalError, invalid, invalidValue } from "@nanokube/machinery";
import { AllocationError, type ClusterIPs, type Owner } from "./cluster-ips.ts";
import { keepsPreference } from "./ip-families.ts";
import type { Steps } from "./steps.ts";

const gk = { group: "", kind: "Service" };

const ownerOf = ({ metadata: { name = "", namespace = "" } = {} }: Service): Owner => ({
  namespace,
  name,
});

export function addressesOf(service: Service): string[] {
  const { clusterIPs = [], clusterIP } = service.spec ?? {};
  const all = clusterIPs.length > 0 ? [...clusterIPs] : [clusterIP ?? ""];
  return all.filter((ip) => ip !== "" && ip !== "None");
}

export class IPAllocation {
  readonly #ips: ClusterIPs;

  constructor(ips: ClusterIPs) {
    this.#ips = ips;
  }

  async create(service: Service, dryRun: boolean, undo: Steps): Promise<void> {
    const { spec = {} } = service;
    if (spec.type === "ExternalName" || spec.clusterIPs?.[0] === "None") return;
    const named = spec.clusterIPs ?? [];
    const chosen: string[] = [];
    for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
      chosen.push(await this.#take(service, family as IPFamily, named[i] ?? "", dryRun, undo));
    }
    spec.clusterIPs = chosen;
    if (chosen[0] !== undefined) spec.clusterIP = chosen[0];
  }

  /** What is to be released once the change is stored goes into `done`. */
  async update(
    service: Service,
    old: Service,
    dryRun: boolean,
    { undo, done }: { undo: Steps; done: Steps },
  ): Promise<void> {
    if (keepsPreference(service, old)) return;
    const [spec, before] = [service.spec ?? {}, old.spec ?? {}];
    if (before.type === "ExternalName") return this.create(service, dryRun, undo);
    if (before.clusterIPs?.[0] === "None") return;
    const release = (ips: readonly string[]): void => {
      if (!dryRun) done.push(...ips.map((ip) => () => this.#ips.release(ip, ownerOf(old))));
    };
    if (spec.type === "ExternalName") return release(addressesOf(old));
    const count = spec.ipFamilies?.length ?? 0;
    const counted = before.ipFamilies?.length ?? 0;
    if (counted === 1 && count === 2) {
      const [first = "", second = ""] = spec.clusterIPs ?? [];
      const family = spec.ipFamilies![1] as IPFamily;
      spec.clusterIPs = [first, await this.#take(service, family, second, dryRun, undo)];
    }
    if (counted === 2 && count === 1) release(addressesOf(old).slice(1));
  }

  async releaseAll(service: Service): Promise<void> {
    for (const ip of addressesOf(service)) await this.#ips.release(ip, ownerOf(service));
  }

  async #take(
    service: Service,
    family: IPFamily,
    wanted: string,
    dryRun: boolean,
    undo: Steps,
  ): Promise<string> {
    const owner = ownerOf(service);
    let address = wanted;
    try {
      if (wanted === "") address = await this.#ips.takeAny(family, owner, dryRun);
      else await this.#ips.take(wanted, family, owner, dryRun);
    } catch (error) {
      throw refusal(error, service, wanted);
    }
    if (!dryRun) undo.push(() => this.#ips.release(address, owner));
    return address;
  }
}

function refusal(error: unknown, service: Service, wanted: string): unknown {
  if (!(error instanceof AllocationError)) return error;
  const name = service.metadata?.name ?? "";
  if (error.isFull) {
    return internalError(`failed to allocate a serviceIP for Service "${name}": ${error.message}`);
  }
  const which = wanted === "" ? "IP" : `IP ${wanted}`;
  const why = `failed to allocate ${which}: ${error.message}`;
  return invalid(gk, name, [invalidValue("spec.clusterIPs", service.spec?.clusterIPs ?? [], why)]);
}
