/**
 * Whether a webhook is asked: its rules and selectors, then its matchConditions.
 *
 * Source  apiserver pkg/admission/plugin/webhook/generic/webhook.go ShouldCallHook
 */
import { type Clock, forbidden, type Log, type Random } from "@nanokube/machinery";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { Questions } from "../policy/evaluation.ts";
import type { Expression } from "../policy/expression.ts";
import { compileConditions, meetsConditions } from "../policy/match-conditions.ts";
import type { WebhookCaller } from "./caller.ts";
import { matchFor, type Webhook } from "./match.ts";
import type { Match, ServedVersions } from "./versions.ts";
import type { WebhookMetrics } from "./webhook-metrics.ts";

export interface WebhookTools {
  call?: WebhookCaller | undefined;
  random: Random;
  log: Log;
  authorizer: Authorizer;
  served: ServedVersions;
  clock: Clock;
  metrics: WebhookMetrics;
}

/** By webhook as the cache holds it. */
const compiledOf = new WeakMap<object, Expression[]>();

export async function askedAbout(
  webhook: Webhook,
  attributes: AdmissionAttributes,
  reader: ObjectReader,
  { authorizer, served }: WebhookTools,
): Promise<Match | undefined> {
  const match = await matchFor(webhook, attributes, reader, served);
  const conditions = webhook.matchConditions ?? [];
  if (match === undefined || conditions.length === 0) return match;
  const compiled = compiledOf.get(webhook) ?? compileConditions(conditions, false);
  compiledOf.set(webhook, compiled);
  const questions = new Questions(authorizer, attributes);
  const isMet = await questions.settle((authorize) => {
    const nothing = { params: undefined, namespace: undefined };
    const input = { attributes: match.attributes, ...nothing, authorize };
    return meetsConditions(compiled, input, webhook.failurePolicy);
  });
  if (isMet === true) return match;
  if (isMet === false) return undefined;
  const { resource, name } = attributes;
  throw forbidden({ group: resource.group, resource: resource.plural }, name, isMet.error);
}
