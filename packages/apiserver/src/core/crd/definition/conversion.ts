/**
 * How a definition's versions are converted: not at all, or by a webhook.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
 *         validateCustomResourceConversion; apiserver pkg/util/webhook/validation.go
 */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
} from "@nanokube/api/apiextensions/v1";
import {
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@nanokube/machinery";
import { dns1035Label } from "../../../resources/names.ts";
import { validateClientConfig } from "../../../resources/webhook-client.ts";

const reviewVersions = ["v1", "v1beta1"];

export function validateConversion(
  spec: CustomResourceDefinitionSpec,
  path: FieldPath,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  const { conversion } = spec;
  if (conversion === undefined) return [];
  const errors: FieldError[] = [];
  const { strategy = "", webhook } = conversion;
  const strategies = ["None", "Webhook"];
  const at = path.child("strategy");
  if (strategy === "") errors.push(required(at, ""));
  else if (!strategies.includes(strategy)) errors.push(notSupported(at, strategy, strategies));
  const client = webhook?.clientConfig;
  const versions = webhook?.conversionReviewVersions ?? [];
  const place = path.child("webhookClientConfig");
  const list = path.child("conversionReviewVersions");
  if (strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (client !== undefined) errors.push(forbiddenField(place, why));
    if (versions.length > 0) errors.push(forbiddenField(list, why));
    return errors;
  }
  if (client === undefined) {
    errors.push(required(place, "required when strategy is set to Webhook"));
  } else errors.push(...validateClientConfig(client, place));
  const before = old?.spec?.conversion?.webhook?.conversionReviewVersions ?? [];
  const wasOdd = before.length > 0 && !before.some((one) => reviewVersions.includes(one));
  return [...errors, ...validateReviewVersions(versions, list, !wasOdd)];
}

function validateReviewVersions(
  versions: readonly string[],
  path: FieldPath,
  mustBeKnown: boolean,
): FieldError[] {
  if (versions.length === 0) return [required(path, "")];
  const errors: FieldError[] = [];
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) {
      errors.push(invalidValue(path.index(i), version, "duplicate version"));
      continue;
    }
    for (const why of dns1035Label(version)) errors.push(invalidValue(path.index(i), version, why));
  }
  if (mustBeKnown && !versions.some((version) => reviewVersions.includes(version))) {
    const why = `must include at least one of ${reviewVersions.join(", ")}`;
    errors.push(invalidValue(path, versions, why));
  }
  return errors;
}
