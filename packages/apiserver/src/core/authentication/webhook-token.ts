/**
 * Whose token is it? Another server is asked with a TokenReview; its answers are kept a while.
 *
 * Units   cacheTTLMs  how long an answer holds, also that the token is nobody's
 * Errors  an Error when the other server does not answer: the token is then refused
 * Source  apiserver plugin/pkg/authenticator/token/webhook/webhook.go
 */
import type { Clock, KubeObject } from "@nanokube/machinery";
import type { Authentication } from "./authenticator.ts";

/** Posts a review and gives back what the other side made of it. */
export type AskReview = (review: KubeObject) => Promise<KubeObject>;

export interface TokenWebhookOptions {
  ask: AskReview;
  cacheTTLMs: number;
  clock: Clock;
}

const remembered = 4096;

interface ReviewStatus {
  authenticated?: boolean;
  error?: string;
  audiences?: string[];
  user?: {
    username?: string;
    uid?: string;
    groups?: string[];
    extra?: Record<string, string[]>;
  };
}

export type WebhookTokens = (
  token: string,
  audiences: readonly string[],
) => Promise<Authentication | undefined>;

export function createTokenWebhook(options: TokenWebhookOptions): WebhookTokens {
  const { ask, cacheTTLMs, clock } = options;
  const known = new Map<string, { untilMs: number; found: Authentication | undefined }>();
  return async (token, audiences) => {
    const key = JSON.stringify([token, ...audiences]);
    const kept = known.get(key);
    if (kept !== undefined && kept.untilMs > clock.now()) return kept.found;
    const spec = audiences.length === 0 ? { token } : { token, audiences: [...audiences] };
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec };
    const { status = {} } = (await ask(review)) as { status?: ReviewStatus };
    if (status.error) throw new Error(status.error);
    const found = readStatus(status, audiences);
    if (known.size >= remembered) known.delete(known.keys().next().value!);
    known.set(key, { untilMs: clock.now() + cacheTTLMs, found });
    return found;
  };
}

function readStatus(
  { authenticated, audiences = [], user = {} }: ReviewStatus,
  wanted: readonly string[],
): Authentication | undefined {
  if (authenticated !== true) return undefined;
  const shared = wanted.filter((one) => audiences.includes(one));
  // A server that knows nothing of audiences vouches for a token meant for this one.
  const holds = audiences.length === 0 ? [...wanted] : shared;
  if (wanted.length > 0 && holds.length === 0) return undefined;
  const { username: name = "", uid, groups = [], extra } = user;
  return {
    user: { name, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) },
    ...(holds.length === 0 ? {} : { audiences: holds }),
  };
}
