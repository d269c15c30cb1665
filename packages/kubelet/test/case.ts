/** One line of the tables: a play on a kubelet, and what upstream's kubelet shows then. */
import type { Bench } from "./bench.ts";

export interface Case {
  name: string;
  /** It stops the kubelet of all, so it is played after those that share it. */
  alone?: true;
  play(bench: Bench): Promise<unknown>;
  want: unknown;
}
