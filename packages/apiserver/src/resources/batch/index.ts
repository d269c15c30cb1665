/**
 * The kinds of group batch.
 *
 * Source  pkg/registry/batch
 */
import type { ResourceStrategy } from "../../core/strategy.ts";
import { cronJobStrategy } from "./cron-job.ts";
import { jobStrategy } from "./job.ts";

export const batchStrategies: readonly [string, ResourceStrategy][] = [
  ["batch/Job", jobStrategy],
  ["batch/CronJob", cronJobStrategy],
];
