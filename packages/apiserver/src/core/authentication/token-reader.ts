/**
 * What authenticators read of the store: service accounts, secrets, pods, nodes; uncached is fine.
 */
import type { KubeObject } from "@nanokube/machinery";

export interface TokenReader {
  get(
    group: string,
    plural: string,
    namespace: string,
    name: string,
  ): Promise<KubeObject | undefined>;
}
