/**
 * Quotas as this server wrote them last, for as long as its cache shows older ones.
 */
import type { ResourceQuota } from "@nanokube/api/core/v1";

const versionOf = ({ metadata }: ResourceQuota): number => Number(metadata?.resourceVersion ?? 0);

export class WrittenQuotas {
  /** By namespace, then name. */
  readonly #written = new Map<string, Map<string, ResourceQuota>>();

  remember(quota: ResourceQuota): void {
    const { namespace = "", name = "" } = quota.metadata ?? {};
    const own = this.#written.get(namespace) ?? new Map<string, ResourceQuota>();
    own.set(name, quota);
    this.#written.set(namespace, own);
  }

  /** The cached ones, or what was written after; forgets what the cache has caught up with. */
  newest(namespace: string, cached: readonly ResourceQuota[]): ResourceQuota[] {
    const own = this.#written.get(namespace);
    if (own === undefined) return [...cached];
    const names = new Set(cached.map(({ metadata }) => metadata?.name ?? ""));
    for (const name of own.keys()) if (!names.has(name)) own.delete(name);
    const newest = cached.map((quota) => {
      const name = quota.metadata?.name ?? "";
      const mine = own.get(name);
      if (mine !== undefined && versionOf(mine) > versionOf(quota)) return mine;
      own.delete(name);
      return quota;
    });
    if (own.size === 0) this.#written.delete(namespace);
    return newest;
  }
}
