/**
 * The kinds of the groups beside core, apps and batch.
 */
import type { ResourceStrategy } from "../core/strategy.ts";

export const otherStrategies: readonly [string, ResourceStrategy][] = [];
