/**
 * Which servers are alive? Each writes its address under /registry/masterleases, for 15 seconds at
 * a time; the endpoints of the kubernetes Service are the addresses that are there. So several
 * servers on one store, ours and upstream's, are endpoints side by side.
 *
 * Shapes  /registry/masterleases/IP  an Endpoints with that one address; its generation counts
 * Source  pkg/controlplane/reconcilers/{lease,endpointsadapter}.go,
 *         pkg/controlplane/controller/kubernetesservice
 */
import type { Endpoints } from "@nanokube/api/core/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceCache } from "../core/cache/resource-cache.ts";
import { KeyChanged, KeyExists, type ObjectStore } from "../core/storage/store.ts";
import type { ApiServerOptions } from "./api-server.ts";
import type { BootstrapParts } from "./bootstrap.ts";
import { type EndpointReconciler, publishAddresses } from "./kubernetes-endpoints.ts";

const ttlSeconds = 15;

export interface EndpointLeasesParts extends Omit<BootstrapParts, "options"> {
  store: ObjectStore;
  /** Of masterleases/. */
  endpointLeases: ResourceCache;
}

export class EndpointLeases implements EndpointReconciler {
  readonly #options: ApiServerOptions;
  readonly #parts: EndpointLeasesParts;
  readonly #ip: string;

  constructor(options: ApiServerOptions, parts: EndpointLeasesParts) {
    this.#options = options;
    this.#parts = parts;
    this.#ip = options.advertiseAddress;
  }

  async remove(port: number): Promise<void> {
    const { store, endpointLeases } = this.#parts;
    const lease = await store.read(endpointLeases, this.#ip);
    if (lease !== undefined) await store.remove(endpointLeases, lease);
    await this.#publish(port, "perhaps none");
  }

  async reconcile(port: number): Promise<void> {
    await this.#renew();
    await this.#publish(port, "this one at least");
  }

  async #renew(): Promise<void> {
    const { store, endpointLeases } = this.#parts;
    const lease = {
      apiVersion: "v1",
      kind: "Endpoints",
      subsets: [{ addresses: [{ ip: this.#ip }] }],
    };
    const ttl = { ttlSeconds };
    const known = await store.read(endpointLeases, this.#ip);
    const generation = (known?.tree().metadata?.generation ?? 0) + 1;
    const tree: KubeObject = { ...lease, metadata: { generation } };
    try {
      if (known === undefined) await store.create(endpointLeases, this.#ip, tree, ttl);
      else await store.replace(endpointLeases, known, tree, ttl);
    } catch (error) {
      // It ran out, or somebody with this address was faster: the next round sees.
      if (!(error instanceof KeyExists) && !(error instanceof KeyChanged)) throw error;
    }
  }

  async #publish(port: number, left: "this one at least" | "perhaps none"): Promise<void> {
    const { store, endpointLeases } = this.#parts;
    await store.catchUp();
    const alive = [...endpointLeases.scan()].flatMap((object) => addressesOf(object.shared()));
    if (alive.length === 0 && left === "this one at least") {
      throw new Error(
        "no API server IP addresses were listed in storage, refusing to erase all endpoints for the kubernetes Service",
      );
    }
    const parts = { ...this.#parts, options: this.#options };
    await publishAddresses(parts, alive.sort(), port);
  }
}

function addressesOf(object: KubeObject): string[] {
  const { subsets = [] } = object as Endpoints;
  return (subsets[0]?.addresses ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}
