/**
 * ValidatingAdmissionWebhook: all that match are asked at once; one no is a no.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go
 */
import type {
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "@nanokube/api/admissionregistration/v1";
import { internalError } from "@nanokube/machinery";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../plugin.ts";
import { askedAbout, type WebhookTools } from "./asked.ts";
import { isExempt } from "./match.ts";
import { observed } from "./observed.ts";
import { ask, WebhookFailure } from "./review.ts";
import type { Match } from "./versions.ts";

const failedOpen = "failed-open.validating.webhook.admission.k8s.io/";

export function createValidatingWebhooks(tools: WebhookTools): AdmissionPlugin {
  const { call, random, log, clock, metrics } = tools;

  async function consult(
    webhook: ValidatingWebhook,
    attributes: AdmissionAttributes,
    index: number,
  ) {
    try {
      const { operation } = attributes;
      const options = { ...(call ? { call } : {}), random, mayPatch: false };
      await observed({ webhook, type: "validating", operation, clock, metrics }, () =>
        ask(webhook, attributes, options),
      );
    } catch (error) {
      if (!(error instanceof WebhookFailure)) throw error;
      if (webhook.failurePolicy !== "Ignore") throw internalError(error);
      log.warn({ error: error.message }, "failed calling webhook, failing open");
      attributes.annotate?.(`${failedOpen}round_0_index_${index}`, webhook.name ?? "");
    }
  }

  return {
    name: "ValidatingAdmissionWebhook",
    handles: (attributes) => !isExempt(attributes),
    async validate(attributes: AdmissionAttributes, reader: ObjectReader) {
      const configurations = await reader.list(
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
      );
      const relevant: { webhook: ValidatingWebhook; match: Match }[] = [];
      for (const configuration of configurations as ValidatingWebhookConfiguration[]) {
        for (const webhook of configuration.webhooks ?? []) {
          const match = await askedAbout(webhook, attributes, reader, tools);
          if (match !== undefined) relevant.push({ webhook, match });
        }
      }
      const answers = await Promise.allSettled(
        relevant.map(({ webhook, match }, i) => consult(webhook, match.attributes, i)),
      );
      const refusal = answers.find((answer) => answer.status === "rejected");
      if (refusal !== undefined) throw refusal.reason;
    },
  };
}
