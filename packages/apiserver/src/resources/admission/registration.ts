/**
 * Webhook configurations.
 *
 * Source  pkg/registry/admissionregistration, pkg/apis/admissionregistration/{v1/defaults.go,
 *         validation/validation.go}
 */
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
} from "@nanokube/api/admissionregistration/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  oneOf,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { validateLabelSelector } from "../labels.ts";
import { dns1035Label, dns1123Subdomain } from "../names.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateClientConfig } from "../webhook-client.ts";
import { policyKind } from "./policy.ts";
import { bindingKind } from "./policy-binding.ts";
import { validateMatchConditions, validateRule } from "./rules.ts";

function defaultWebhook(webhook: MutatingWebhook, mutating: boolean): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (mutating) webhook.reinvocationPolicy ??= "Never";
  for (const rule of webhook.rules ?? []) rule.scope ??= "*";
  const service = webhook.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

function validateReviewVersions(versions: readonly string[], path: FieldPath): FieldError[] {
  if (versions.length === 0) return [required(path, "must specify one of v1, v1beta1")];
  const errors = versions.flatMap((version, i) =>
    versions.indexOf(version) < i
      ? [invalid(path.index(i), version, "duplicate version")]
      : check(path.index(i), version, dns1035Label),
  );
  if (versions.includes("v1") || versions.includes("v1beta1")) return errors;
  return [...errors, invalid(path, versions, "must include at least one of v1, v1beta1")];
}

function validateWebhook(webhook: MutatingWebhook, path: FieldPath): FieldError[] {
  const { name = "", sideEffects, timeoutSeconds } = webhook;
  const admissionReviewVersions = webhook.admissionReviewVersions ?? [];
  const errors: FieldError[] = [];
  const at = path.child("name");
  if (name === "") errors.push(required(at));
  else {
    errors.push(...check(at, name, dns1123Subdomain));
    if (name.split(".").length < 3) {
      const why = "should be a domain with at least three segments separated by dots";
      errors.push(invalid(at, name, why));
    }
  }
  const versions = path.child("admissionReviewVersions");
  errors.push(...validateReviewVersions(admissionReviewVersions, versions));
  for (const [i, rule] of (webhook.rules ?? []).entries()) {
    errors.push(...validateRule(rule, path.child("rules").index(i)));
  }
  const choices = [
    ["failurePolicy", ["Fail", "Ignore"]],
    ["matchPolicy", ["Equivalent", "Exact"]],
    ["reinvocationPolicy", ["IfNeeded", "Never"]],
  ] as const;
  for (const [key, values] of choices) {
    if (webhook[key] !== undefined) errors.push(...oneOf(path.child(key), webhook[key], values));
  }
  const effects = path.child("sideEffects");
  if (!sideEffects) {
    errors.push(required(effects, "must specify one of None, NoneOnDryRun"));
  } else errors.push(...oneOf(effects, sideEffects, ["None", "NoneOnDryRun"]));
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)) {
    const why = "the timeout value must be between 1 and 30 seconds";
    errors.push(invalid(path.child("timeoutSeconds"), timeoutSeconds, why));
  }
  errors.push(...validateLabelSelector(webhook.namespaceSelector, path.child("namespaceSelector")));
  errors.push(...validateLabelSelector(webhook.objectSelector, path.child("objectSelector")));
  errors.push(...validateClientConfig(webhook.clientConfig ?? {}, path.child("clientConfig")));
  const conditions = path.child("matchConditions");
  errors.push(...validateMatchConditions(webhook.matchConditions ?? [], false, conditions));
  return errors;
}

function validateConfiguration(configuration: MutatingWebhookConfiguration): FieldError[] {
  const path = field("webhooks");
  const seen = new Set<string>();
  return (configuration.webhooks ?? []).flatMap((webhook, i) => {
    const at = path.index(i);
    const errors = validateWebhook(webhook, at);
    const { name = "" } = webhook;
    if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
    seen.add(name);
    return errors;
  });
}

function webhookKind(mutating: boolean): ResourceStrategy {
  return kind(
    { finalizers: "plain", updateMeta: ["whole"], generation: ["webhooks"] },
    {
      default(object) {
        for (const webhook of (object as MutatingWebhookConfiguration).webhooks ?? []) {
          defaultWebhook(webhook, mutating);
        }
      },
      validate: (object) => validateConfiguration(object as MutatingWebhookConfiguration),
      validateUpdate: (object) => validateConfiguration(object as MutatingWebhookConfiguration),
      allowUnconditionalUpdate: false,
      columns: columns("Name, Webhooks:integer, Age"),
      row: (object, now) => [
        nameOf(object),
        ((object as MutatingWebhookConfiguration).webhooks ?? []).length,
        age(object, now),
      ],
    },
  );
}

const group = "admissionregistration.k8s.io";

export const admissionStrategies: readonly [string, ResourceStrategy][] = [
  [`${group}/MutatingWebhookConfiguration`, webhookKind(true)],
  [`${group}/ValidatingWebhookConfiguration`, webhookKind(false)],
  [`${group}/ValidatingAdmissionPolicy`, policyKind("validations")],
  [`${group}/ValidatingAdmissionPolicyBinding`, bindingKind(false)],
  [`${group}/MutatingAdmissionPolicy`, policyKind("mutations")],
  [`${group}/MutatingAdmissionPolicyBinding`, bindingKind(true)],
];
