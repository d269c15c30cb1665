/**
 * HorizontalPodAutoscaler: as many replicas as the use of their resources asks for.
 *
 * Every 15 s: the target's scale, each metric's proposal, the highest of them, held back by windows
 * and policies; then the scale subresource is written.
 * Source  pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler
 */
import type { Scale } from "@nanokube/api/autoscaling/v1";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from "@nanokube/api/autoscaling/v2";
import { horizontalPodAutoscalers, pods, type ResourceRef, splitKey } from "@nanokube/client";
import { deepEqual, parseLabelSelector } from "@nanokube/machinery";
import { withCondition } from "../conditions.ts";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { attempt, note, type Steps, updateStatus } from "../steps.ts";
import { formatTime } from "../time.ts";
import { type History, type Limits, limit, stabilize } from "./limits.ts";
import { describeFailure, propose } from "./metrics.ts";

const everyMs = 15_000;

interface Memory {
  kinds: Map<string, ResourceRef>;
  histories: Map<string, History>;
}

export function createHorizontalPodAutoscalerController(): Controller {
  const memory: Memory = { kinds: new Map(), histories: new Map() };
  return {
    name: "horizontal-pod-autoscaler-controller",
    component: "horizontal-pod-autoscaler",
    watches: [watchOwn(horizontalPodAutoscalers), watch(pods, () => [])],
    reconcile: (key, context) => reconcileAutoscaler(key, context, memory),
  };
}

/** One look at an autoscaler: its status is changed on the way and written at the end. */
interface Look {
  hpa: HorizontalPodAutoscaler;
  status: HorizontalPodAutoscalerStatus;
  nowMs: number;
}

function setCondition(look: Look, type: string, status: string, why: [string, string]): void {
  const [reason, message] = why;
  const lastTransitionTime = formatTime(look.nowMs);
  const others = (look.status.conditions ?? []).filter((condition) => condition.type !== type);
  const old = look.status.conditions?.find((condition) => condition.type === type);
  const [next] = withCondition(old === undefined ? [] : [old], {
    type,
    status,
    reason,
    message,
    lastTransitionTime,
  });
  look.status.conditions = [...others, { ...next!, message } as never];
}

function* write({ hpa, status }: Look): Steps {
  if (deepEqual(status, hpa.status ?? {})) return;
  yield* updateStatus(horizontalPodAutoscalers, { ...hpa, status });
}

function* resourceFor(hpa: HorizontalPodAutoscaler, memory: Memory): Steps<ResourceRef> {
  const { apiVersion = "", kind = "" } = hpa.spec?.scaleTargetRef ?? {};
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
  const key = `${kind}.${group}`;
  const known = memory.kinds.get(key);
  if (known !== undefined) return known;
  const { resources = [], error } = yield* attempt({ do: "discover" });
  if (error !== undefined) throw error;
  const found = resources.find((resource) => resource.kind === kind && resource.group === group);
  if (found === undefined) throw new Error(`no matches for kind "${kind}" in group "${group}"`);
  memory.kinds.set(key, found);
  return found;
}

function* scaleOf(look: Look, memory: Memory): Steps<{ target: ResourceRef; scale: Scale }> {
  const { hpa } = look;
  try {
    const target = yield* resourceFor(hpa, memory);
    const { object, error } = yield* attempt({
      do: "get",
      resource: target,
      namespace: hpa.metadata?.namespace ?? "",
      name: hpa.spec?.scaleTargetRef?.name ?? "",
      subresource: "scale",
    });
    if (error !== undefined) throw error;
    return { target, scale: object as Scale };
  } catch (error) {
    const { message } = error as Error;
    yield* note(hpa, "Warning", "FailedGetScale", message);
    const text = `the HPA controller was unable to get the target's current scale: ${message}`;
    setCondition(look, "AbleToScale", "False", ["FailedGetScale", text]);
    yield* write(look);
    throw error;
  }
}

interface Wish {
  replicas: number;
  metric: string;
  statuses: MetricStatus[];
}

/** The highest proposal; undefined when nothing can be said, which is told. */
function* askMetrics(look: Look, scale: Scale, context: Context): Steps<Wish | undefined> {
  const { hpa, nowMs } = look;
  const namespace = hpa.metadata?.namespace ?? "";
  const selector = scale.status?.selector ?? "";
  if (selector === "") {
    const text = "selector is required";
    yield* note(hpa, "Warning", "SelectorRequired", text);
    setCondition(look, "ScalingActive", "False", [
      "InvalidSelector",
      "the HPA target's scale is missing a selector",
    ]);
    return undefined;
  }
  const matcher = parseLabelSelector(selector);
  const selected = context.caches
    .of(pods)
    .byNamespace(namespace)
    .filter((pod) => matcher.matches(pod.metadata?.labels));
  const current = scale.spec?.replicas ?? 0;
  const wish: Wish = { replicas: 0, metric: "", statuses: [] };
  const specs = hpa.spec?.metrics ?? [];
  let failure: { reason: string; error: string; text: string } | undefined;
  let failures = 0;
  for (const spec of specs) {
    const proposal = yield* propose({ hpa, pods: selected, selector, current, nowMs }, spec);
    if ("error" in proposal) {
      yield* note(hpa, "Warning", proposal.reason, proposal.error);
      failure ??= { ...proposal, text: describeFailure(spec, proposal.error) };
      failures += 1;
      continue;
    }
    wish.statuses.push(proposal.status);
    if (wish.replicas === 0 || proposal.replicas > wish.replicas) {
      wish.replicas = proposal.replicas;
      wish.metric = proposal.metric;
    }
  }
  if (failure !== undefined && (failures === specs.length || wish.replicas < current)) {
    const text = `the HPA was unable to compute the replica count: ${failure.error}`;
    setCondition(look, "ScalingActive", "False", [failure.reason, text]);
    const all = `invalid metrics (${failures} invalid out of ${specs.length}), first error is: ${failure.text}`;
    yield* note(hpa, "Warning", "FailedComputeMetricsReplicas", all);
    return undefined;
  }
  setCondition(look, "ScalingActive", "True", [
    "ValidMetricFound",
    `the HPA was able to successfully calculate a replica count from ${wish.metric}`,
  ]);
  return wish;
}

/** The wish within windows, policies and bounds. */
function moderate(look: Look, wish: number, limits: Limits, history: History): number {
  const stable = stabilize(wish, limits, history, look.nowMs);
  setCondition(look, "AbleToScale", "True", [stable.reason, stable.message]);
  const verdict = limit(bounded(stable.replicas, limits), limits, history, look.nowMs);
  const within = bounded(stable.replicas, limits);
  if (within !== stable.replicas) {
    const many = stable.replicas > within;
    setCondition(look, "ScalingLimited", "True", [
      many ? "TooManyReplicas" : "TooFewReplicas",
      `the desired replica count is ${many ? "more than the maximum" : "less than the minimum"} replica count`,
    ]);
    return verdict.replicas;
  }
  const limited = verdict.replicas === stable.replicas ? "False" : "True";
  setCondition(look, "ScalingLimited", limited, [verdict.reason, verdict.message]);
  return verdict.replicas;
}

const bounded = (wish: number, { min, max }: Limits): number => Math.min(max, Math.max(min, wish));

export function* reconcileAutoscaler(
  key: string,
  context: Context,
  memory: Memory,
): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const hpa = caches.of(horizontalPodAutoscalers).get(namespace, name);
  if (hpa === undefined) {
    memory.histories.delete(key);
    return undefined;
  }
  const look: Look = { hpa, status: { ...hpa.status }, nowMs };
  const { target, scale } = yield* scaleOf(look, memory);
  setCondition(look, "AbleToScale", "True", [
    "SucceededGetScale",
    "the HPA controller was able to get the target's current scale",
  ]);
  const current = scale.spec?.replicas ?? 0;
  const history = memory.histories.get(key) ?? {
    recommendations: [{ replicas: current, timeMs: nowMs }],
    grown: [],
    shrunk: [],
  };
  memory.histories.set(key, history);
  const { minReplicas: min = 1, maxReplicas: max = 1, behavior } = hpa.spec ?? {};
  const limits: Limits = { min, max, current, up: behavior?.scaleUp, down: behavior?.scaleDown };
  look.status.currentReplicas = current;
  let desired = current;
  let reason = "";
  if (current === 0 && min !== 0) {
    desired = 0;
    setCondition(look, "ScalingActive", "False", [
      "ScalingDisabled",
      "scaling is disabled since the replica count of the target is zero",
    ]);
  } else if (current > max) {
    [desired, reason] = [max, "Current number of replicas above Spec.MaxReplicas"];
  } else if (current < min) {
    [desired, reason] = [min, "Current number of replicas below Spec.MinReplicas"];
  } else {
    const wish = yield* askMetrics(look, scale, context);
    if (wish === undefined) {
      yield* write(look);
      return everyMs;
    }
    look.status.currentMetrics = wish.statuses;
    if (wish.replicas > current) reason = `${wish.metric} above target`;
    if (wish.replicas < current) reason = "All metrics below target";
    desired = moderate(look, wish.replicas, limits, history);
  }
  if (desired !== current)
    yield* rescale(look, { target, scale, current, desired, reason }, history);
  look.status.desiredReplicas = desired;
  yield* write(look);
  return everyMs;
}

interface Change {
  target: ResourceRef;
  scale: Scale;
  current: number;
  desired: number;
  reason: string;
}

function* rescale(look: Look, change: Change, history: History): Steps {
  const { target, scale, current, desired, reason } = change;
  const { hpa, nowMs } = look;
  const { error } = yield* attempt({
    do: "update",
    resource: target,
    object: { ...scale, spec: { ...scale.spec, replicas: desired } } as Scale,
    subresource: "scale",
    hop: "horizontal-pod-autoscaler.scale",
  });
  if (error !== undefined) {
    const text = `New size: ${desired}; reason: ${reason}; error: ${error.message}`;
    yield* note(hpa, "Warning", "FailedRescale", text);
    const told = `the HPA controller was unable to update the target scale: ${error.message}`;
    setCondition(look, "AbleToScale", "False", ["FailedUpdateScale", told]);
    yield* write(look);
    throw error;
  }
  const done = `the HPA controller was able to update the target scale to ${desired}`;
  setCondition(look, "AbleToScale", "True", ["SucceededRescale", done]);
  yield* note(hpa, "Normal", "SuccessfulRescale", `New size: ${desired}; reason: ${reason}`);
  const samples = desired > current ? history.grown : history.shrunk;
  samples.push({ replicas: Math.abs(desired - current), timeMs: nowMs });
  if (samples.length > 1000) samples.shift();
  look.status.lastScaleTime = formatTime(nowMs);
}
