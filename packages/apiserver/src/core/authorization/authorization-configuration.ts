/**
 * AuthorizationConfiguration: which authorizers are asked, in which order; webhooks may be several.
 *
 * Shapes  apiVersion apiserver.config.k8s.io/v1 (or v1beta1), kind AuthorizationConfiguration
 * Units   durations as Go writes them ("5m0s"), here in milliseconds
 * Errors  one line a complaint: what stands there wrong, or is not evaluated here (CEL)
 * Source  apiserver pkg/apis/apiserver/{v1/types,validation/validation}.go
 */
import { parseGoDurationMs } from "@nanokube/machinery";

export interface WebhookSettings {
  name: string;
  kubeConfigFile: string;
  authorizedTTLMs: number;
  unauthorizedTTLMs: number;
  timeoutMs: number;
  failurePolicy: "NoOpinion" | "Deny";
}

export type AuthorizerSettings = { type: string } | ({ type: "Webhook" } & WebhookSettings);

interface Entry {
  type?: string;
  name?: string;
  webhook?: {
    authorizedTTL?: string;
    unauthorizedTTL?: string;
    timeout?: string;
    failurePolicy?: string;
    connectionInfo?: { type?: string; kubeConfigFile?: string };
    matchConditions?: unknown[];
  };
}

const versions = ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"];
const types = ["Node", "RBAC", "AlwaysAllow", "AlwaysDeny", "Webhook"];

export function readAuthorizationConfiguration(
  tree: unknown,
  complaints: string[],
): AuthorizerSettings[] {
  const document = (tree ?? {}) as { apiVersion?: string; kind?: string; authorizers?: Entry[] };
  const { apiVersion = "", kind = "", authorizers = [] } = document;
  if (kind !== "AuthorizationConfiguration" || !versions.includes(apiVersion)) {
    const text = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
    complaints.push(text);
    return [];
  }
  if (authorizers.length === 0) {
    complaints.push("authorizers: Required value: at least one authorization mode must be defined");
  }
  return authorizers.map((entry, i) => readOne(entry, `authorizers[${i}]`, complaints));
}

function readOne(entry: Entry, at: string, complaints: string[]): AuthorizerSettings {
  const { type = "", name = "", webhook } = entry;
  if (!types.includes(type)) {
    const listed = types.map((one) => JSON.stringify(one)).toSorted();
    const text = `Unsupported value: ${JSON.stringify(type)}: supported values: ${listed.join(", ")}`;
    complaints.push(`${at}.type: ${text}`);
  }
  if (type !== "Webhook") return { type };
  if (webhook === undefined) {
    complaints.push(`${at}.webhook: Required value: required when type=Webhook`);
    return { type };
  }
  if ((webhook.matchConditions ?? []).length > 0) {
    complaints.push(`${at}.webhook.matchConditions: CEL expressions are not evaluated by nanokube`);
  }
  const { connectionInfo = {}, failurePolicy = "" } = webhook;
  if (connectionInfo.type !== "KubeConfigFile") {
    complaints.push(`${at}.webhook.connectionInfo.type: nanokube takes "KubeConfigFile" only`);
  }
  if (failurePolicy !== "NoOpinion" && failurePolicy !== "Deny") {
    complaints.push(`${at}.webhook.failurePolicy: Required value`);
  }
  const duration = (text: string | undefined, usualMs: number): number => {
    const ms = text === undefined ? usualMs : parseGoDurationMs(text);
    if (ms === undefined) complaints.push(`time: invalid duration ${JSON.stringify(text)}`);
    return ms ?? usualMs;
  };
  return {
    type: "Webhook",
    name,
    kubeConfigFile: connectionInfo.kubeConfigFile ?? "",
    authorizedTTLMs: duration(webhook.authorizedTTL, 300_000),
    unauthorizedTTLMs: duration(webhook.unauthorizedTTL, 30_000),
    timeoutMs: duration(webhook.timeout, 30_000),
    failurePolicy: failurePolicy === "Deny" ? "Deny" : "NoOpinion",
  };
}
