/**
 * A failing run made smaller: fewer kinds of faults, a shorter time, and it still fails.
 */

import type { Violation } from "./invariants.ts";
import { allFaults, type Fault, type SimulationOptions, simulate } from "./simulation.ts";

export interface Smallest {
  readonly options: SimulationOptions;
  readonly violation: Violation;
}

export async function minimize(options: SimulationOptions): Promise<Smallest> {
  let smallest = await attempt(options);
  if (smallest === undefined) throw new Error("this run does not fail again: it is not repeatable");
  for (const fault of allFaults) {
    const faults: Fault[] = (smallest.options.faults ?? allFaults).filter(
      (other) => other !== fault,
    );
    smallest = (await attempt({ ...smallest.options, faults })) ?? smallest;
  }
  for (let stepMs = 1024; stepMs >= 32; stepMs /= 2) {
    const faultsMs: number = (smallest.options.faultsMs ?? 2000) - stepMs;
    if (faultsMs <= 0) continue;
    smallest = (await attempt({ ...smallest.options, faultsMs })) ?? smallest;
  }
  return smallest;
}

async function attempt(options: SimulationOptions): Promise<Smallest | undefined> {
  const { violation } = await simulate(options);
  return violation === undefined ? undefined : { options, violation };
}
