/**
 * The ranges cluster IPs may come from now: those the server was started with, which the
 * ServiceCIDR "kubernetes" tells, and those of every other one that is not known to be unready.
 *
 * Source  pkg/registry/core/service/ipallocator/cidrallocator.go syncAllocators,
 *         pkg/controlplane/controller/defaultservicecidr
 */
import type { ServiceCIDR } from "@nanokube/api/networking/v1";
import type { IPFamily } from "@nanokube/machinery";
import type { ResourceCache } from "../cache/resource-cache.ts";
import { isAllocatable, parseRange, type Range } from "./cidr.ts";

export const defaultServiceCIDR = "kubernetes";

export class ServiceRanges {
  /** Of servicecidrs. */
  readonly #cache: ResourceCache;
  readonly #configured: readonly Range[];

  constructor(cache: ResourceCache, configured: readonly Range[]) {
    this.#cache = cache;
    this.#configured = configured;
  }

  /** The family of the first range: what a Service gets that asks for none. */
  get defaultFamily(): IPFamily {
    return this.#configured[0]!.family;
  }

  /** Families that the server was started with: a ServiceCIDR adds addresses, not a family. */
  get families(): ReadonlySet<IPFamily> {
    return new Set(this.#configured.map((range) => range.family));
  }

  ready(family: IPFamily): Range[] {
    const found = new Map<string, Range>();
    const add = (range: Range): void => {
      if (range.family === family && isAllocatable(range)) found.set(range.cidr, range);
    };
    let isDefaultEnding = false;
    for (const object of this.#cache.scan()) {
      const cidr = object.tree() as ServiceCIDR;
      const isEnding = cidr.metadata?.deletionTimestamp !== undefined;
      if (cidr.metadata?.name === defaultServiceCIDR && isEnding) isDefaultEnding = true;
      if (isEnding || !isReady(cidr)) continue;
      for (const text of cidr.spec?.cidrs ?? []) add(parseRange(text));
    }
    if (!isDefaultEnding) for (const range of this.#configured) add(range);
    return [...found.values()];
  }
}

/** One that nobody has looked at yet counts: the controller may not run. */
const isReady = (cidr: ServiceCIDR): boolean =>
  (cidr.status?.conditions ?? []).every(
    ({ type, status }) => type !== "Ready" || status === "True",
  );
