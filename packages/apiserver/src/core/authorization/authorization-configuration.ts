/**
 * AuthorizationConfiguration: which authorizers are asked, in which order; webhooks may be several.
 *
 * Shapes  apiVersion apiserver.config.k8s.io/v1 (or v1beta1), kind AuthorizationConfiguration
 * Units   durations as Go writes them ("5m0s"), here in milliseconds
 * Errors  field errors in upstream's words
 * Source  apiserver pkg/apis/apiserver/{v1/{types,defaults},validation/validation}.go
 */
import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  parseGoDurationMs,
  required,
  tooMany,
} from "@nanokube/machinery";
import { dns1123Subdomain } from "../../resources/names.ts";
import type { AuthorizerSettings, WebhookSettings } from "./authorizer-settings.ts";
import { compileCondition, type MatchCondition } from "./match-conditions.ts";

interface Webhook {
  authorizedTTL?: string;
  unauthorizedTTL?: string;
  timeout?: string;
  subjectAccessReviewVersion?: string;
  matchConditionSubjectAccessReviewVersion?: string;
  failurePolicy?: string;
  connectionInfo?: { type?: string; kubeConfigFile?: string };
  matchConditions?: { expression?: string }[];
}

interface Entry {
  type?: string;
  name?: string;
  webhook?: Webhook;
}

const versions = ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"];
const types = ["ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"];
const timeoutMaxMs = 30_000;
const conditionsMax = 64;

export function readAuthorizers(tree: unknown): {
  authorizers: AuthorizerSettings[];
  problems: string[];
} {
  const document = (tree ?? {}) as { apiVersion?: string; kind?: string; authorizers?: Entry[] };
  const { apiVersion = "", kind = "", authorizers = [] } = document;
  if (kind !== "AuthorizationConfiguration" || !versions.includes(apiVersion)) {
    const text = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
    return { authorizers: [], problems: [text] };
  }
  const errors: FieldError[] = [];
  const root = FieldPath.root("authorizers");
  if (authorizers.length === 0) {
    errors.push(required(root, "at least one authorization mode must be defined"));
  }
  const seen = { types: new Set<string>(), names: new Set<string>() };
  const found = authorizers.map((entry, i) => readOne(entry, root.index(i), seen, errors));
  return { authorizers: found, problems: errors.map(String) };
}

function readOne(
  { type = "", name = "", webhook }: Entry,
  at: FieldPath,
  seen: { types: Set<string>; names: Set<string> },
  errors: FieldError[],
): AuthorizerSettings {
  if (type === "") errors.push(required(at.child("type")));
  else if (!types.includes(type)) errors.push(notSupported(at.child("type"), type, types));
  else if (type === "ABAC") errors.push(invalidValue(at.child("type"), type, "nanokube has none"));
  else if (seen.types.has(type) && type !== "Webhook") {
    errors.push(duplicate(at.child("type"), type));
  } else {
    seen.types.add(type);
    errors.push(...badName(name, at.child("name"), seen.names));
    seen.names.add(name);
    if (type !== "Webhook" && webhook !== undefined) {
      const why = "may only be specified when type=Webhook";
      errors.push(invalidValue(at.child("webhook"), "non-null", why));
    }
    if (type === "Webhook" && webhook === undefined) {
      errors.push(required(at.child("webhook"), "required when type=Webhook"));
    }
  }
  if (type !== "Webhook" || webhook === undefined) return { type };
  return { type, ...readWebhook(name, webhook, at, errors) };
}

function badName(name: string, path: FieldPath, seen: ReadonlySet<string>): FieldError[] {
  if (name === "") return [required(path)];
  if (seen.has(name)) return [duplicate(path, name)];
  const problems = dns1123Subdomain(name, false);
  if (problems.length === 0) return [];
  return [invalidValue(path, name, `authorizer name is invalid: ${problems.join(", ")}`)];
}

function readWebhook(
  name: string,
  webhook: Webhook,
  at: FieldPath,
  errors: FieldError[],
): WebhookSettings {
  const duration = (field: "timeout" | "authorizedTTL" | "unauthorizedTTL", usual: string) => {
    // Only the times of answers have a default.
    const text = webhook[field] ?? usual;
    const ms = parseGoDurationMs(text);
    const path = at.child(field);
    const isTimeout = field === "timeout";
    if (text === "" || ms === 0) errors.push(required(path));
    else if (ms === undefined || ms < 0 || (isTimeout && ms > timeoutMaxMs)) {
      errors.push(invalidValue(path, text, isTimeout ? "must be > 0s and <= 30s" : "must be > 0s"));
    }
    return ms ?? 0;
  };
  const timeoutMs = duration("timeout", "");
  const authorizedTTLMs = duration("authorizedTTL", "5m");
  const unauthorizedTTLMs = duration("unauthorizedTTL", "30s");
  errors.push(...badVersions(webhook, at), ...badPolicy(webhook, at), ...badPlace(webhook, at));
  const matchConditions = readConditions(webhook, at, errors);
  return {
    name,
    kubeConfigFile: webhook.connectionInfo?.kubeConfigFile ?? "",
    authorizedTTLMs,
    unauthorizedTTLMs,
    timeoutMs,
    failurePolicy: webhook.failurePolicy === "Deny" ? "Deny" : "NoOpinion",
    ...(matchConditions.length > 0 ? { matchConditions } : {}),
  };
}

function badVersions(webhook: Webhook, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { subjectAccessReviewVersion: asked = "" } = webhook;
  const path = at.child("subjectAccessReviewVersion");
  if (asked === "") errors.push(required(path));
  else if (asked !== "v1" && asked !== "v1beta1") {
    errors.push(notSupported(path, asked, ["v1", "v1beta1"]));
  } else if (asked === "v1beta1") {
    errors.push(invalidValue(path, asked, "nanokube asks in v1 only"));
  }
  const { matchConditionSubjectAccessReviewVersion: shown = "" } = webhook;
  const own = at.child("matchConditionSubjectAccessReviewVersion");
  if (shown === "" && (webhook.matchConditions ?? []).length > 0) {
    errors.push(required(own, "required if match conditions are specified"));
  }
  if (shown !== "" && shown !== "v1") errors.push(notSupported(own, shown, ["v1"]));
  return errors;
}

function badPolicy({ failurePolicy = "" }: Webhook, at: FieldPath): FieldError[] {
  const path = at.child("failurePolicy");
  if (failurePolicy === "") return [required(path)];
  if (["NoOpinion", "Deny"].includes(failurePolicy)) return [];
  return [notSupported(path, failurePolicy, ["NoOpinion", "Deny"])];
}

function badPlace({ connectionInfo = {} }: Webhook, at: FieldPath): FieldError[] {
  const { type = "", kubeConfigFile = "" } = connectionInfo;
  const path = at.child("connectionInfo", "type");
  const file = at.child("connectionInfo", "kubeConfigFile");
  if (type === "") return [required(path)];
  if (type === "InClusterConfig") {
    return [invalidValue(path, type, "nanokube takes KubeConfigFile only")];
  }
  if (type !== "KubeConfigFile") {
    return [notSupported(path, connectionInfo, ["InClusterConfig", "KubeConfigFile"])];
  }
  if (kubeConfigFile === "") return [required(file)];
  if (kubeConfigFile.startsWith("/")) return [];
  return [invalidValue(file, kubeConfigFile, "must be an absolute path")];
}

function readConditions(
  { matchConditions = [] }: Webhook,
  at: FieldPath,
  errors: FieldError[],
): MatchCondition[] {
  const path = at.child("matchConditions");
  if (matchConditions.length > conditionsMax) {
    errors.push(tooMany(path, matchConditions.length, conditionsMax));
    return [];
  }
  const seen = new Set<string>();
  return matchConditions.flatMap(({ expression = "" }, i) => {
    const own = path.index(i).child("expression");
    if (expression.trim() === "") errors.push(required(own));
    else if (seen.has(expression)) errors.push(duplicate(own, expression));
    else {
      seen.add(expression);
      const found = compileCondition(expression);
      if ("program" in found) return [found];
      errors.push(invalidValue(own, expression, found.error));
    }
    return [];
  });
}
