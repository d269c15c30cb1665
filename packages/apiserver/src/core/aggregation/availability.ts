/**
 * Can a group of another server be had? What the APIService's condition says, before anybody has
 * called that server; the call itself is io/aggregator.ts.
 *
 * Source  kube-aggregator pkg/controllers/status/remote/remote_available_controller.go
 */
import {
  type RemoteService,
  readyEndpoint,
  type ServiceShape,
  type SliceShape,
} from "./remote-service.ts";

export interface Condition {
  type: "Available";
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  lastTransitionTime?: string;
}

export const passed: Condition = {
  type: "Available",
  status: "True",
  reason: "Passed",
  message: "all checks passed",
};

export function unavailable(reason: string, message: string): Condition {
  return { type: "Available", status: "False", reason, message };
}

/** What is wrong already in the cluster's own objects; undefined when the server is to be asked. */
export function obstacle(
  { namespace, service: name, port }: RemoteService,
  service: ServiceShape | undefined,
  slices: readonly SliceShape[],
): Condition | undefined {
  const where = `service/${name} in ${JSON.stringify(namespace)}`;
  if (service === undefined) return unavailable("ServiceNotFound", `${where} is not present`);
  if ((service.spec?.type ?? "ClusterIP") !== "ClusterIP") return undefined;
  const found = service.spec?.ports?.find((one) => one.port === port);
  if (found === undefined) {
    return unavailable("ServicePortError", `${where} is not listening on port ${port}`);
  }
  if (slices.length === 0) {
    return unavailable("EndpointsNotFound", `cannot find endpointslices for ${where}`);
  }
  const portName = found.name ?? "";
  if (readyEndpoint(slices, portName) !== undefined) return undefined;
  const text = `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`;
  return unavailable("MissingEndpoints", text);
}

/** The conditions with this one in them; undefined when nothing would change. */
export function withCondition(
  conditions: readonly Condition[],
  condition: Condition,
  now: string,
): Condition[] | undefined {
  const old = conditions.find(({ type }) => type === condition.type);
  const { status, reason, message } = condition;
  if (old?.status === status && old.reason === reason && old.message === message) return undefined;
  const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now;
  const others = conditions.filter(({ type }) => type !== condition.type);
  return [...others, { ...condition, lastTransitionTime }];
}
