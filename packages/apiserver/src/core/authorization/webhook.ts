/**
 * May they? Another server is asked with a SubjectAccessReview; its answers are kept a while.
 *
 * Units   TTLs in milliseconds, one for yes, one for no
 * Errors  no answer is no opinion, or a denial where the configuration says so
 * Source  apiserver plugin/pkg/authorizer/webhook/webhook.go
 */
import type { Clock, KubeObject, Log } from "@nanokube/machinery";
import type { AuthorizationAttributes, AuthorizationResult, Authorizer } from "./authorizer.ts";
import { selectorsOf } from "./selectors.ts";

export interface AuthorizationWebhookOptions {
  ask(review: KubeObject): Promise<KubeObject>;
  authorizedTTLMs: number;
  unauthorizedTTLMs: number;
  failurePolicy: "NoOpinion" | "Deny";
  /** Whether it is asked at all. @throws Error */
  isMeant?: ((attributes: AuthorizationAttributes) => Promise<boolean>) | undefined;
  clock: Clock;
  log: Log;
}

const remembered = 8192;

interface ReviewStatus {
  allowed?: boolean;
  denied?: boolean;
  reason?: string;
}

export function createAuthorizationWebhook(options: AuthorizationWebhookOptions): Authorizer {
  const { ask, clock, log, failurePolicy, isMeant } = options;
  const failed = (what: string, error: unknown): AuthorizationResult => {
    log.error({ error: String(error) }, what);
    return { decision: failurePolicy === "Deny" ? "deny" : "noOpinion", reason: "" };
  };
  const known = new Map<string, { untilMs: number; result: AuthorizationResult }>();
  return {
    async authorize(attributes) {
      try {
        const isAsked = (await isMeant?.(attributes)) ?? true;
        if (!isAsked) return { decision: "noOpinion", reason: "" };
      } catch (error) {
        return failed("failed to evaluate match conditions", error);
      }
      const review = reviewOf(attributes);
      const key = JSON.stringify(review.spec);
      const kept = known.get(key);
      if (kept !== undefined && kept.untilMs > clock.now()) return kept.result;
      try {
        const { status = {} } = (await ask(review)) as { status?: ReviewStatus };
        const result = resultOf(status);
        const { authorizedTTLMs, unauthorizedTTLMs } = options;
        const ttlMs = result.decision === "allow" ? authorizedTTLMs : unauthorizedTTLMs;
        if (known.size >= remembered) known.delete(known.keys().next().value!);
        known.set(key, { untilMs: clock.now() + ttlMs, result });
        return result;
      } catch (error) {
        return failed("failed to make webhook authorizer request", error);
      }
    },
    rulesFor: async () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: true,
      evaluationError: "webhook authorizer does not support user rule resolution",
    }),
  };
}

function resultOf({ allowed, denied, reason = "" }: ReviewStatus): AuthorizationResult {
  if (denied === true && allowed === true) {
    throw new Error("webhook subject access review returned both allow and deny response");
  }
  if (denied === true) return { decision: "deny", reason };
  return { decision: allowed === true ? "allow" : "noOpinion", reason };
}

function reviewOf(attributes: AuthorizationAttributes): KubeObject & { spec: object } {
  const { user, verb, path } = attributes;
  const target = attributes.resourceRequest
    ? { resourceAttributes: resourceAttributes(attributes) }
    : { nonResourceAttributes: { path, verb } };
  const spec = {
    ...target,
    user: user.name,
    ...(user.uid ? { uid: user.uid } : {}),
    groups: [...user.groups],
    ...(user.extra ? { extra: user.extra } : {}),
  };
  return { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
}

function resourceAttributes(attributes: AuthorizationAttributes): Record<string, unknown> {
  const { namespace, verb, apiGroup, apiVersion, resource, subresource, name } = attributes;
  const all = {
    namespace,
    verb,
    group: apiGroup,
    version: apiVersion,
    resource,
    subresource,
    name,
  };
  const set: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(all)) if (value !== "") set[key] = value;
  return { ...set, ...selectorsOf(attributes.narrowed ?? {}) };
}
