/**
 * POST pods/eviction: a deletion that asks the PodDisruptionBudgets first.
 *
 * Errors  429 when a budget has nothing left, 500 when several budgets cover the pod
 * Source  pkg/registry/core/pod/storage/eviction.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { Eviction, PodDisruptionBudget } from "@nanokube/api/policy/v1";
import {
  badRequest,
  type conflict,
  forbidden,
  genericStatus,
  internalError,
  type KubeObject,
  labelSelectorToSelector,
  notFound,
  tooManyRequests,
} from "@nanokube/machinery";
import type { StoredObject } from "../../cache/stored-object.ts";
import { KeyChanged } from "../../storage/store.ts";
import type { ApiResponse, RestContext } from "../context.ts";
import { decodeBody } from "../decode-body.ts";
import { deleteObject } from "../delete.ts";
import { ensureNamespace, timestamp } from "../object-meta.ts";
import { parseDeleteOptions, parseWriteOptions } from "../options.ts";
import { respondWithTree } from "../respond.ts";
import { noteEviction } from "./disruption-target.ts";

const evictionType = "io.k8s.api.policy.v1.Eviction";
const statusType = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
const disruptedMax = 2000;

export async function evict(context: RestContext): Promise<ApiResponse> {
  const { info, request, resource, server } = context;
  const options = parseWriteOptions(request.query, "CreateOptions");
  const expected = { apiVersion: "policy/v1", kind: "Eviction", typeName: evictionType };
  const eviction = (await decodeBody(context, expected, options.fieldValidation)) as Eviction;
  ensureNamespace(context, eviction as KubeObject);
  const named = eviction.metadata?.name ?? "";
  if (named !== "" && named !== info.name) {
    throw badRequest("name in URL does not match name in Eviction object");
  }
  const sent = (eviction.deleteOptions ?? {}) as KubeObject;
  const deletion = parseDeleteOptions(new URLSearchParams(), { ...sent });
  if (options.dryRun) deletion.dryRun = true;
  const stored = await server.store.read(resource.cache, `${info.namespace}/${info.name}`);
  if (stored === undefined) throw notFound({ group: "", resource: "pods" }, info.name);
  const pod = stored.tree() as Pod;
  if (!canIgnoreBudget(pod)) await spendBudget(context, pod, deletion.dryRun);
  const last = deletion.dryRun ? deletion : await noteEviction(context, stored, deletion);
  await deleteObject(context, info.name, last);
  const answer = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  return respondWithTree(context, 201, answer, statusType);
}

/** Pods that do not run, and pods on their way out, disrupt nobody. */
function canIgnoreBudget(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return (
    phase === "Succeeded" ||
    phase === "Failed" ||
    phase === "Pending" ||
    Boolean(pod.metadata?.deletionTimestamp)
  );
}

async function spendBudget(context: RestContext, pod: Pod, dryRun: boolean): Promise<void> {
  const { info, server } = context;
  const budgets = server.lookup("policy", "v1", "poddisruptionbudgets");
  if (budgets === undefined) return;
  const covering: StoredObject[] = [];
  for (const object of budgets.cache.scan(`${info.namespace}/`)) {
    const budget = object.shared() as PodDisruptionBudget;
    const selector = labelSelectorToSelector(budget.spec?.selector ?? {});
    if (budget.spec?.selector !== undefined && selector.matches(pod.metadata?.labels)) {
      covering.push(object);
    }
  }
  if (covering.length > 1) {
    throw internalError(
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  }
  let current = covering[0];
  while (current !== undefined) {
    const budget = current.tree() as PodDisruptionBudget;
    if (toleratesUnready(pod, budget)) return;
    take(context, budget);
    if (dryRun) return;
    try {
      await server.store.replace(budgets.cache, current, budget as KubeObject);
      return;
    } catch (error) {
      if (!(error instanceof KeyChanged)) throw error;
      current = error.current;
    }
  }
}

/** A pod that is not ready anyway may go when enough others are, or when the policy says so. */
function toleratesUnready(pod: Pod, budget: PodDisruptionBudget): boolean {
  const ready = pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True");
  if (ready) return false;
  if (budget.spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function take(context: RestContext, budget: PodDisruptionBudget): void {
  budget.status ??= {} as NonNullable<PodDisruptionBudget["status"]>;
  const { status } = budget;
  const name = budget.metadata?.name ?? "";
  const gr = { group: "policy", resource: "poddisruptionbudgets" };
  if ((status.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0)) {
    const error = tooManyRequests(
      "Cannot evict pod as it would violate the pod's disruption budget.",
      10,
    );
    addCause(error, `The disruption budget ${name} is still being processed by the server.`);
    throw error;
  }
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) throw forbidden(gr, name, "pdb disruptions allowed is negative");
  if (Object.keys(status.disruptedPods ?? {}).length > disruptedMax) {
    throw forbidden(
      gr,
      name,
      "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
    );
  }
  if (allowed === 0) {
    const error = genericStatus(
      429,
      "TooManyRequests",
      "Cannot evict pod as it would violate the pod's disruption budget.",
    );
    addCause(
      error,
      `The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`,
    );
    throw error;
  }
  status.disruptionsAllowed = allowed - 1;
  status.disruptedPods = {
    ...status.disruptedPods,
    [context.info.name]: timestamp(context.server.clock),
  };
}

function addCause(error: ReturnType<typeof conflict>, message: string): void {
  error.status.details = {
    ...error.status.details,
    causes: [{ reason: "DisruptionBudget", message }],
  };
}
