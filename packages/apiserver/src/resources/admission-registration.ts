/**
 * Webhook configurations and admission policies.
 *
 * Source  pkg/registry/admissionregistration, pkg/apis/admissionregistration/{v1/defaults.go,
 *         validation/validation.go}
 */
import type {
  MatchResources,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@nanokube/api/admissionregistration/v1";
import type { ResourceStrategy } from "../core/strategy.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  oneOf,
  required,
} from "./field.ts";
import { kind } from "./generic.ts";
import { validateLabelSelector } from "./labels.ts";
import { dns1123Subdomain } from "./names.ts";
import { age, columns, labelSelectorText, nameOf } from "./table.ts";

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

function validateRule(rule: RuleWithOperations, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const list = (name: "operations" | "apiGroups" | "apiVersions" | "resources") => {
    const values = rule[name] ?? [];
    if (values.length === 0) errors.push(required(path.child(name)));
    if (values.includes("*") && values.length > 1 && name !== "resources") {
      const why =
        "if '*' is present, must not specify other " +
        (name === "operations"
          ? "operations"
          : name === "apiGroups"
            ? "API groups"
            : "API versions");
      errors.push(invalid(path.child(name), values, why));
    }
    return values;
  };
  const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
  for (const [i, operation] of list("operations").entries()) {
    errors.push(...oneOf(path.child("operations").index(i), operation, operations));
  }
  for (const name of ["apiGroups", "apiVersions", "resources"] as const) list(name);
  for (const [i, version] of (rule.apiVersions ?? []).entries()) {
    if (version === "") errors.push(required(path.child("apiVersions").index(i)));
  }
  if (rule.scope !== undefined) {
    errors.push(...oneOf(path.child("scope"), rule.scope, ["*", "Cluster", "Namespaced"]));
  }
  return errors;
}

function validateClientConfig(webhook: MutatingWebhook, path: FieldPath): FieldError[] {
  const { url, service } = webhook.clientConfig ?? {};
  if ((url === undefined) === (service === undefined)) {
    return [required(path, "exactly one of url or service is required")];
  }
  if (url !== undefined) {
    const at = path.child("url");
    const form = "; desired format: https://host[/path]";
    let parsed: URL;
    try {
      parsed = new URL(url);
    } catch {
      return [required(at, `url must be a valid URL${form}`)];
    }
    const errors: FieldError[] = [];
    if (parsed.protocol !== "https:") {
      errors.push(
        invalid(at, parsed.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`),
      );
    }
    if (parsed.username !== "") {
      errors.push(invalid(at, parsed.username, "user information is not permitted in the URL"));
    }
    return errors;
  }
  const at = path.child("service");
  const missing = (["name", "namespace"] as const).filter((name) => !service?.[name]);
  return missing.map((name) => required(at.child(name), `service ${name} is required`));
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
  if (admissionReviewVersions.length === 0) {
    errors.push(required(versions, "must specify one of v1, v1beta1"));
  } else if (
    !admissionReviewVersions.some((version) => version === "v1" || version === "v1beta1")
  ) {
    const why = "must include at least one of v1, v1beta1";
    errors.push(invalid(versions, admissionReviewVersions, why));
  }
  for (const [i, rule] of (webhook.rules ?? []).entries()) {
    errors.push(...validateRule(rule, path.child("rules").index(i)));
  }
  const choices = [
    ["failurePolicy", ["Fail", "Ignore"]],
    ["matchPolicy", ["Equivalent", "Exact"]],
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
  errors.push(...validateClientConfig(webhook, path.child("clientConfig")));
  // CEL is not evaluated here yet: a condition that would be ignored must not be accepted.
  if ((webhook.matchConditions ?? []).length > 0) {
    const why = "CEL match conditions are not implemented by this server";
    errors.push(forbidden(path.child("matchConditions"), why));
  }
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

function defaultMatch(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) {
    rule.scope ??= "*";
  }
}

type AnyPolicy = ValidatingAdmissionPolicy & { spec?: { mutations?: unknown[] } };

function policyKind(expressions: "validations" | "mutations"): ResourceStrategy {
  const title = expressions === "validations" ? "Validations" : "Mutations";
  return kind(
    {
      finalizers: "plain",
      updateMeta: ["whole"],
      status: expressions === "validations",
      generation: ["spec"],
    },
    {
      default(object) {
        const { spec } = object as AnyPolicy;
        if (spec === undefined) return;
        spec.failurePolicy ??= "Fail";
        defaultMatch(spec.matchConstraints);
      },
      validate: (object) =>
        (object as AnyPolicy).spec?.matchConstraints === undefined
          ? [required(field("spec", "matchConstraints"))]
          : [],
      allowUnconditionalUpdate: false,
      columns: columns(`Name, ${title}:integer, ParamKind, Age`),
      row(object, now) {
        const { spec } = object as AnyPolicy;
        const param = spec?.paramKind;
        return [
          nameOf(object),
          (spec?.[expressions] ?? []).length,
          param === undefined ? "<unset>" : `${param.apiVersion}/${param.kind}`,
          age(object, now),
        ];
      },
    },
  );
}

function paramText(binding: ValidatingAdmissionPolicyBinding): string {
  const ref = binding.spec?.paramRef;
  if (ref?.name) return `${ref.namespace || "*"}/${ref.name}`;
  return ref?.selector === undefined ? "<unset>" : labelSelectorText(ref.selector);
}

/** A binding would enforce CEL, which this server does not evaluate yet: refused, not ignored. */
const bindingKind = kind(
  { finalizers: "plain", updateMeta: ["whole"], generation: ["spec"] },
  {
    default: (object) =>
      defaultMatch((object as ValidatingAdmissionPolicyBinding).spec?.matchResources),
    validate(object) {
      const errors: FieldError[] = [];
      if (!(object as ValidatingAdmissionPolicyBinding).spec?.policyName) {
        errors.push(required(field("spec", "policyName")));
      }
      const why = "admission policies (CEL) are not implemented by this server";
      return [...errors, forbidden(field("spec"), why)];
    },
    allowUnconditionalUpdate: false,
    columns: columns("Name, PolicyName, ParamRef, Age"),
    row: (object, now) => [
      nameOf(object),
      (object as ValidatingAdmissionPolicyBinding).spec?.policyName ?? "",
      paramText(object as ValidatingAdmissionPolicyBinding),
      age(object, now),
    ],
  },
);

const group = "admissionregistration.k8s.io";

export const admissionStrategies: readonly [string, ResourceStrategy][] = [
  [`${group}/MutatingWebhookConfiguration`, webhookKind(true)],
  [`${group}/ValidatingWebhookConfiguration`, webhookKind(false)],
  [`${group}/ValidatingAdmissionPolicy`, policyKind("validations")],
  [`${group}/ValidatingAdmissionPolicyBinding`, bindingKind],
  [`${group}/MutatingAdmissionPolicy`, policyKind("mutations")],
  [`${group}/MutatingAdmissionPolicyBinding`, bindingKind],
];
