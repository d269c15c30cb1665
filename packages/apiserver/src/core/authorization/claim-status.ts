/**
 * Who may change which part of a ResourceClaim's status: the allocation only who may bind claims,
 * what drivers say of their devices only who may speak for these drivers, on that node or on any.
 *
 * Shapes  asked of the authorizer as resourceclaims/binding with the request's verb, and as
 *         resourceclaims/driver, the driver's name, with "associated-node:VERB" where the caller
 *         is a pod's account on the node of the allocation, else "arbitrary-node:VERB"
 * Source  pkg/registry/resource/utils.go, resourceclaim/strategy.go
 */
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  ResourceClaim,
  ResourceClaimStatus,
} from "@nanokube/api/resource/v1";
import { type FieldError, FieldPath, forbiddenField, type KubeObject } from "@nanokube/machinery";
import { semanticEqual } from "../../resources/semantic-equal.ts";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { RestContext } from "../rest/context.ts";
import type { AuthorizationAttributes } from "./authorizer.ts";
import { forbiddenError } from "./create-authorizer.ts";

type Attempt = Pick<AuthorizationAttributes, "verb" | "subresource" | "namespace" | "name">;

export async function authorizeClaimStatus(
  context: RestContext,
  object: KubeObject,
  old: KubeObject,
): Promise<FieldError[]> {
  if (context.info.subresource !== "status") return [];
  const { status = {} } = object as ResourceClaim;
  const { status: before = {} } = old as ResourceClaim;
  const binding = await authorizeBinding(context, status, before);
  const devices = status.allocation ? await authorizeDevices(context, status, before) : [];
  return [...binding, ...devices];
}

async function authorizeBinding(
  context: RestContext,
  status: ResourceClaimStatus,
  before: ResourceClaimStatus,
): Promise<FieldError[]> {
  const isSame =
    semanticEqual(status.allocation, before.allocation) &&
    semanticEqual(status.reservedFor, before.reservedFor);
  if (isSame) return [];
  const { verb } = context.info;
  const attempt = { verb, subresource: "binding", namespace: "", name: "" };
  const refusal = await refusalOf(context, [attempt]);
  if (refusal === undefined) return [];
  const what = "changing status.allocation or status.reservedFor requires";
  const why = `${what} resource="resourceclaims/binding", verb="${verb}" permission: ${refusal}`;
  return [forbiddenField(FieldPath.root("status", "allocation"), why)];
}

async function authorizeDevices(
  context: RestContext,
  status: ResourceClaimStatus,
  before: ResourceClaimStatus,
): Promise<FieldError[]> {
  const { info, user } = context;
  const own = isOnNode(user, nodeOf(status.allocation)) ? [`associated-node:${info.verb}`] : [];
  const verbs = [...own, `arbitrary-node:${info.verb}`];
  const errors: FieldError[] = [];
  for (const name of changedDrivers(status, before)) {
    const { namespace } = info;
    const attempts = verbs.map((verb) => ({ verb, subresource: "driver", namespace, name }));
    const refusal = await refusalOf(context, attempts);
    if (refusal === undefined) continue;
    const what = 'changing status.devices requires resource="resourceclaims/driver"';
    const why = `${what}, verb="[${verbs.join(" ")}]" permission: ${refusal}`;
    errors.push(forbiddenField(FieldPath.root("status", "devices"), why));
  }
  return errors;
}

/** One that is allowed is enough; else what is said of the first. */
async function refusalOf(
  { info, user, server }: RestContext,
  attempts: readonly Attempt[],
): Promise<string | undefined> {
  let first: string | undefined;
  for (const attempt of attempts) {
    const attributes: AuthorizationAttributes = {
      user,
      resourceRequest: true,
      apiGroup: info.apiGroup,
      apiVersion: info.apiVersion,
      resource: info.resource,
      path: info.path,
      ...attempt,
    };
    const { decision, reason } = await server.authorizer.authorize(attributes);
    if (decision === "allow") return undefined;
    first ??= forbiddenError(attributes, reason).message;
  }
  return first;
}

/** Drivers whose devices came, went or changed, in order. */
function changedDrivers(status: ResourceClaimStatus, before: ResourceClaimStatus): string[] {
  const keyOf = ({ driver, pool, device, shareID }: AllocatedDeviceStatus): string =>
    JSON.stringify([driver, pool, device, shareID ?? ""]);
  const known = new Map((before.devices ?? []).map((device) => [keyOf(device), device]));
  const drivers = new Set<string>();
  for (const device of status.devices ?? []) {
    const previous = known.get(keyOf(device));
    known.delete(keyOf(device));
    if (previous === undefined || !semanticEqual(previous, device))
      drivers.add(device.driver ?? "");
  }
  for (const { driver = "" } of known.values()) drivers.add(driver);
  return [...drivers].sort();
}

/** Undefined where the allocation is not for one node. */
function nodeOf(allocation: AllocationResult | undefined): string | undefined {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const [term] = terms;
  const [field, ...more] = term?.matchFields ?? [];
  if (terms.length !== 1 || more.length > 0 || (term?.matchExpressions ?? []).length > 0) {
    return undefined;
  }
  const { key, operator, values = [] } = field ?? {};
  return key === "metadata.name" && operator === "In" && values.length === 1
    ? values[0]
    : undefined;
}

/** Whether the caller is the account of a pod there. */
function isOnNode({ name, extra }: UserInfo, node: string | undefined): boolean {
  if (node === undefined || !name.startsWith("system:serviceaccount:")) return false;
  const names = extra?.["authentication.kubernetes.io/node-name"] ?? [];
  return names.length === 1 && names[0] === node;
}
