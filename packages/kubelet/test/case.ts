/** One line of the tables: a play on a kubelet, and what upstream's kubelet shows then. */
import type { Bench } from "./bench.ts";

export interface Case {
  name: string;
  play(bench: Bench): Promise<unknown>;
  want: unknown;
}
