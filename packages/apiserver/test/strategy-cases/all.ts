/** Every case, by topic. */
import type { StrategyCase } from "./case.ts";
import { otherCases } from "./others.ts";
import { podCases } from "./pods.ts";
import { workloadCases } from "./workloads.ts";

export const casesByTopic: Readonly<Record<string, readonly StrategyCase[]>> = {
  pods: podCases,
  workloads: workloadCases,
  others: otherCases,
};
