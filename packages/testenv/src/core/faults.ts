/**
 * Faults at the edge of the API: which request is to fail, and how.
 *
 * Shapes  verb      "get list watch create update patch delete deletecollection", or "*"
 *         resource  plural, with its subresource: "pods", "pods/status"; "*" is all
 * Errors  what the server would answer: a Status with the code, its usual reason, and the message
 */
import { reasonOf } from "./fault-reasons.ts";

export interface FaultRule {
  verb?: string | undefined;
  resource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
  /** 400 to 599: answered in place of the server. */
  status?: number | undefined;
  message?: string | undefined;
  /** Sent as Retry-After, with a status of 429 or 5xx. */
  retryAfterSeconds?: number | undefined;
  /** The connection breaks without any answer. */
  disconnect?: boolean | undefined;
  /** A watch is served and ends in the middle after so many events. */
  dropWatchAfterEvents?: number | undefined;
  /** Waits so long, on the environment's clock, before anything else. */
  delayMs?: number | undefined;
  /** How many requests it meets; all unless told. */
  times?: number | undefined;
}

/** What a request asks for, as far as rules can tell requests apart. */
export interface Asked {
  verb: string;
  resource: string;
  namespace: string;
  name: string;
}

const outcomes = ["status", "disconnect", "dropWatchAfterEvents", "delayMs"] as const;

/** The rule as it is, or an error that names what is wrong with it. */
export function checkedRule(rule: FaultRule): FaultRule {
  if (outcomes.every((field) => rule[field] === undefined)) {
    throw new TypeError(`a fault needs one of: ${outcomes.join(", ")}`);
  }
  const { status } = rule;
  if (status !== undefined && !(Number.isInteger(status) && status >= 400 && status <= 599)) {
    throw new RangeError(`a fault's status is 400 to 599, not ${status}`);
  }
  return rule;
}

const matches = (wanted: string | undefined, found: string) =>
  wanted === undefined || wanted === "*" || wanted === found;

export function ruleMatches(rule: FaultRule, asked: Asked): boolean {
  return (
    matches(rule.verb, asked.verb) &&
    matches(rule.resource, asked.resource) &&
    matches(rule.namespace, asked.namespace) &&
    matches(rule.name, asked.name)
  );
}

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  PUT: "update",
  PATCH: "patch",
};

/** Reads method and path as the server does; undefined for /healthz and the like. */
export function askedFor(method: string, pathAndQuery: string): Asked | undefined {
  const url = new URL(pathAndQuery, "http://server");
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const rest = parts[0] === "api" ? parts.slice(2) : parts[0] === "apis" ? parts.slice(3) : [];
  let namespace = "";
  if (
    rest[0] === "namespaces" &&
    rest.length > 2 &&
    rest[2] !== "status" &&
    rest[2] !== "finalize"
  ) {
    namespace = decodeURIComponent(rest[1]!);
    rest.splice(0, 2);
  }
  const [plural, name = "", ...sub] = rest.map(decodeURIComponent);
  if (plural === undefined) return undefined;
  const watch = ["1", "true"].includes(url.searchParams.get("watch") ?? "");
  const reading = name === "" ? (watch ? "watch" : "list") : "get";
  const deleting = name === "" ? "deletecollection" : "delete";
  const verb =
    method === "GET" || method === "HEAD"
      ? reading
      : method === "DELETE"
        ? deleting
        : (verbs[method] ?? method.toLowerCase());
  return { verb, resource: [plural, ...sub].join("/"), namespace, name };
}

export function faultStatus(rule: FaultRule & { status: number }): object {
  const { status, retryAfterSeconds } = rule;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: rule.message ?? `injected fault: ${reasonOf(status)}`,
    reason: reasonOf(status),
    ...(retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } }),
    code: status,
  };
}
