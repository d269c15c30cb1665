/**
 * How fast and how far the number of replicas may move: stabilization windows and policies.
 *
 * Source  pkg/controller/podautoscaler/horizontal.go normalizeDesiredReplicas…, convertDesired…
 */
import type { HPAScalingRules } from "@nanokube/api/autoscaling/v2";

export interface Sample {
  replicas: number;
  timeMs: number;
}

/** What upstream keeps in memory of one autoscaler. */
export interface History {
  recommendations: Sample[];
  /** By how many replicas it grew, or shrank. */
  grown: Sample[];
  shrunk: Sample[];
}

export interface Limits {
  min: number;
  max: number;
  current: number;
  up: HPAScalingRules | undefined;
  down: HPAScalingRules | undefined;
}

export interface Verdict {
  replicas: number;
  reason: string;
  message: string;
}

const downWindowSeconds = 300;

/** Brings a wish between the lowest recent one (growing) and the highest (shrinking). */
export function stabilize(wish: number, limits: Limits, history: History, nowMs: number): Verdict {
  const { current, up, down } = limits;
  const since = (rules: HPAScalingRules | undefined, otherwise: number) =>
    nowMs - (rules?.stabilizationWindowSeconds ?? otherwise) * 1000;
  const [upCutMs, downCutMs] = [since(up, 0), since(down, downWindowSeconds)];
  let [lowest, highest] = [wish, wish];
  for (const { replicas, timeMs } of history.recommendations) {
    if (timeMs > upCutMs) lowest = Math.min(lowest, replicas);
    if (timeMs > downCutMs) highest = Math.max(highest, replicas);
  }
  const oldest = Math.min(upCutMs, downCutMs);
  history.recommendations = history.recommendations.filter(({ timeMs }) => timeMs >= oldest);
  history.recommendations.push({ replicas: wish, timeMs: nowMs });
  const replicas = Math.min(Math.max(current, lowest), highest);
  if (replicas === wish) {
    return {
      replicas,
      reason: "ReadyForNewScale",
      message: "recommended size matches current size",
    };
  }
  return wish >= current
    ? {
        replicas,
        reason: "ScaleUpStabilized",
        message:
          "recent recommendations were lower than current one, applying the lowest recent recommendation",
      }
    : {
        replicas,
        reason: "ScaleDownStabilized",
        message:
          "recent recommendations were higher than current one, applying the highest recent recommendation",
      };
}

const defaultUp: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const defaultDown: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

function changed(samples: readonly Sample[], periodSeconds: number, nowMs: number): number {
  return samples
    .filter(({ timeMs }) => timeMs > nowMs - periodSeconds * 1000)
    .reduce((sum, { replicas }) => sum + replicas, 0);
}

function policyLimit(
  rules: HPAScalingRules,
  way: 1 | -1,
  current: number,
  history: History,
  nowMs: number,
): number {
  const select = rules.selectPolicy ?? "Max";
  if (select === "Disabled") return current;
  const proposals = (rules.policies ?? []).map(({ type, value = 0, periodSeconds = 0 }) => {
    const start =
      current -
      changed(history.grown, periodSeconds, nowMs) +
      changed(history.shrunk, periodSeconds, nowMs);
    if (type === "Pods") return start + way * value;
    const moved = start * (1 + (way * value) / 100);
    return way > 0 ? Math.ceil(moved) : Math.trunc(moved);
  });
  const farthest = (select === "Min") === way > 0 ? Math.min : Math.max;
  return farthest(...proposals);
}

/** At most as far as the policies and the bounds allow. */
export function limit(wish: number, limits: Limits, history: History, nowMs: number): Verdict {
  const { min, max, current, up, down } = limits;
  if (wish > current) {
    const far = Math.max(current, policyLimit(up ?? defaultUp, 1, current, history, nowMs));
    const replicas = Math.min(max, far);
    if (wish > replicas) {
      return max > far
        ? {
            replicas,
            reason: "ScaleUpLimit",
            message: "the desired replica count is increasing faster than the maximum scale rate",
          }
        : {
            replicas,
            reason: "TooManyReplicas",
            message: "the desired replica count is more than the maximum replica count",
          };
    }
  } else if (wish < current) {
    const far = Math.min(current, policyLimit(down ?? defaultDown, -1, current, history, nowMs));
    const replicas = Math.max(min, far);
    if (wish < replicas) {
      return min < far
        ? {
            replicas,
            reason: "ScaleDownLimit",
            message: "the desired replica count is decreasing faster than the maximum scale rate",
          }
        : {
            replicas,
            reason: "TooFewReplicas",
            message: "the desired replica count is less than the minimum replica count",
          };
    }
  }
  return {
    replicas: wish,
    reason: "DesiredWithinRange",
    message: "the desired count is within the acceptable range",
  };
}
