/**
 * ServiceAccount: who a pod is to the API.
 *
 * Source  pkg/registry/core/serviceaccount/strategy.go
 */
import type { ResourceStrategy } from "../../core/strategy.ts";
import { kind } from "../generic.ts";

export const serviceAccountStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"] },
  {},
);
