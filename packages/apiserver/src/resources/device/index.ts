/** The kinds of resource.k8s.io: devices, and claims to them. */
import type { ResourceStrategy } from "../../core/strategy.ts";
import { deviceClassStrategy } from "./device-class.ts";
import { deviceTaintRuleStrategy } from "./device-taint-rule.ts";
import { resourceClaimStrategy } from "./resource-claim.ts";
import { resourceClaimTemplateStrategy } from "./resource-claim-template.ts";
import { resourceSliceStrategy } from "./resource-slice.ts";

export const deviceStrategies: readonly [string, ResourceStrategy][] = [
  ["resource.k8s.io/DeviceTaintRule", deviceTaintRuleStrategy],
  ["resource.k8s.io/DeviceClass", deviceClassStrategy],
  ["resource.k8s.io/ResourceClaim", resourceClaimStrategy],
  ["resource.k8s.io/ResourceClaimTemplate", resourceClaimTemplateStrategy],
  ["resource.k8s.io/ResourceSlice", resourceSliceStrategy],
];
