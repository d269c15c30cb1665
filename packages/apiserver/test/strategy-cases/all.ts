/** Every case, by name. */
import type { StrategyCase } from "./case.ts";
import { otherCases } from "./others.ts";
import { podCases } from "./pods.ts";
import { workloadCases } from "./workloads.ts";

export const allCases: readonly StrategyCase[] = [...podCases, ...workloadCases, ...otherCases];
