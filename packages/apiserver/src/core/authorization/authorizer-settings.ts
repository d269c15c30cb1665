/** The authorizers of a server as flags or a file say; webhooks with how to ask them. */
import type { MatchCondition } from "./match-conditions.ts";

export interface WebhookSettings {
  name: string;
  kubeConfigFile: string;
  authorizedTTLMs: number;
  unauthorizedTTLMs: number;
  timeoutMs: number;
  failurePolicy: "NoOpinion" | "Deny";
  matchConditions?: readonly MatchCondition[];
}

export type AuthorizerSettings = { type: string } | ({ type: "Webhook" } & WebhookSettings);
