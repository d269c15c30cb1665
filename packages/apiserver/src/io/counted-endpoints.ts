/**
 * --endpoint-reconciler-type=master-count: this server's address is among those of the kubernetes
 * Service, which are never more than --apiserver-count. A server that ended without leaving stays
 * in it until others push it out.
 *
 * Source  pkg/controlplane/reconcilers/instancecount.go
 */
import type { Endpoints } from "@nanokube/api/core/v1";
import { addressesOf, countedAddresses } from "../core/service/counted-endpoints.ts";
import type { ObjectStore } from "../core/storage/store.ts";
import type { ApiServerOptions } from "./api-server-options.ts";
import type { BootstrapParts } from "./bootstrap.ts";
import {
  currentEndpoints,
  type EndpointReconciler,
  publishAddresses,
} from "./kubernetes-endpoints.ts";

interface CountedParts extends BootstrapParts {
  store: ObjectStore;
}

export class CountedEndpoints implements EndpointReconciler {
  readonly #parts: CountedParts;
  readonly #count: number;

  constructor(options: ApiServerOptions, parts: Omit<CountedParts, "options">) {
    this.#parts = { ...parts, options };
    this.#count = options.serverCount ?? 1;
  }

  async reconcile(port: number): Promise<void> {
    const subsets = await this.#subsets();
    const own = this.#parts.options.advertiseAddress;
    const addresses = countedAddresses(subsets, own, this.#count) ?? addressesOf(subsets[0]!);
    // Ports that others wrote stay theirs.
    const known = subsets.length === 1 ? subsets[0]?.ports?.[0]?.port : undefined;
    await publishAddresses(this.#parts, addresses, known ?? port);
  }

  async remove(port: number): Promise<void> {
    const own = this.#parts.options.advertiseAddress;
    const [subset] = await this.#subsets();
    if (subset === undefined) return;
    const others = addressesOf(subset).filter((address) => address !== own);
    await publishAddresses(this.#parts, others, subset.ports?.[0]?.port ?? port);
  }

  async #subsets(): Promise<NonNullable<Endpoints["subsets"]>> {
    await this.#parts.store.catchUp();
    return ((await currentEndpoints(this.#parts)) as Endpoints | undefined)?.subsets ?? [];
  }
}
