/**
 * What differs by kind: the strategy of every built-in resource, and one for the rest.
 *
 * A kind that is not listed gets metadata checks, status and spec written apart, and a generation
 * that counts changes of its spec (as a custom resource does).
 *
 * Source  pkg/registry/*
 */
import type { ResourceStrategy } from "../core/strategy.ts";
import { appsStrategies } from "./apps/index.ts";
import { batchStrategies } from "./batch/index.ts";
import { coreStrategies } from "./core/index.ts";
import { kind } from "./generic.ts";
import { otherStrategies } from "./others.ts";

export { podRequests, qosClass } from "./core/pod/resources.ts";
export {
  isHeadless,
  needsClusterIP,
  needsHealthCheck,
  needsNodePort,
} from "./core/service/shape.ts";

const unknown: ResourceStrategy = kind({ status: true, generation: ["spec"] }, {});

const strategies: ReadonlyMap<string, ResourceStrategy> = new Map([
  ...coreStrategies,
  ...appsStrategies,
  ...batchStrategies,
  ...otherStrategies,
]);

export function strategyFor(group: string, kindName: string): ResourceStrategy {
  return strategies.get(`${group}/${kindName}`) ?? unknown;
}
