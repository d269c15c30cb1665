/** How an admission review reaches its webhook; the io side does it over HTTPS. */
import type { AdmissionReview } from "@nanokube/api/admission/v1";
import type { WebhookClientConfig } from "@nanokube/api/admissionregistration/v1";

export interface WebhookCall {
  client: WebhookClientConfig;
  review: AdmissionReview;
  timeoutSeconds: number;
}

/** The parsed answer. Throws an Error that says why there is none (`Post "https://…": …`). */
export type WebhookCaller = (call: WebhookCall) => Promise<unknown>;
