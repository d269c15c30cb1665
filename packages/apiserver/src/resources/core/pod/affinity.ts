/**
 * Where a pod may run: node selectors, affinity, tolerations, topology spread.
 *
 * Source  pkg/apis/core/validation/validation.go
 */
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../../field.ts";
import { validateLabelSelector } from "../../labels.ts";
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from "../../names.ts";

function validateRequirement(
  requirement: NodeSelectorRequirement,
  path: FieldPath,
  checkValues: boolean,
): FieldError[] {
  const { key = "", operator = "", values = [] } = requirement;
  const errors: FieldError[] = [];
  const at = path.child("values");
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbidden(at, why));
    }
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else {
    errors.push(invalid(path.child("operator"), operator, "not a valid selector operator"));
  }
  errors.push(...check(path.child("key"), key, qualifiedName));
  if (!checkValues) return errors;
  return [...errors, ...values.flatMap((value, i) => check(at.index(i), value, labelValue))];
}

function validateFieldRequirement(
  requirement: NodeSelectorRequirement,
  path: FieldPath,
): FieldError[] {
  const { key = "", operator = "", values = [] } = requirement;
  const errors: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn") {
    errors.push(invalid(path.child("operator"), operator, "not a valid selector operator"));
  } else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(path.child("values"), why));
  }
  if (key !== "metadata.name") {
    errors.push(invalid(path.child("key"), key, "not a valid field selector key"));
    return errors;
  }
  const at = path.child("values");
  return [...errors, ...values.flatMap((value, i) => check(at.index(i), value, dns1123Subdomain))];
}

export function validateNodeSelectorTerm(
  term: NodeSelectorTerm,
  path: FieldPath,
  checkValues: boolean,
): FieldError[] {
  const expressions = path.child("matchExpressions");
  const fields = path.child("matchFields");
  return [
    ...(term.matchExpressions ?? []).flatMap((one, i) =>
      validateRequirement(one, expressions.index(i), checkValues),
    ),
    ...(term.matchFields ?? []).flatMap((one, i) => validateFieldRequirement(one, fields.index(i))),
  ];
}

export function validateNodeSelector(selector: NodeSelector, path: FieldPath): FieldError[] {
  const terms = selector.nodeSelectorTerms ?? [];
  const at = path.child("nodeSelectorTerms");
  if (terms.length === 0) return [required(at, "must have at least one node selector term")];
  return terms.flatMap((term, i) => validateNodeSelectorTerm(term, at.index(i), true));
}

function validateLabelKeys(
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  path: FieldPath,
): FieldError[] {
  if (keys === undefined || keys.length === 0) return [];
  if (selector === undefined) {
    return [forbidden(path, "must not be specified when labelSelector is not set")];
  }
  return keys.flatMap((key, i) => check(path.index(i), key, qualifiedName));
}

function validateKeys(
  match: readonly string[] | undefined,
  mismatch: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  path: FieldPath,
): FieldError[] {
  const errors = [
    ...validateLabelKeys(match, selector, path.child("matchLabelKeys")),
    ...validateLabelKeys(mismatch, selector, path.child("mismatchLabelKeys")),
  ];
  // The server merges matchLabelKeys into the selector once; a second mention is the user's own.
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key = "" } of selector?.matchExpressions ?? []) {
    const i = match?.indexOf(key) ?? -1;
    if (i >= 0 && seen.has(key)) {
      errors.push(invalid(path.index(i), key, "exists in both matchLabelKeys and labelSelector"));
    }
    seen.add(key);
  }
  for (const [i, key] of (match ?? []).entries()) {
    if (!mismatch?.includes(key)) continue;
    const why = "exists in both matchLabelKeys and mismatchLabelKeys";
    errors.push(invalid(path.child("matchLabelKeys").index(i), key, why));
  }
  return errors;
}

function validateTerm(term: PodAffinityTerm, path: FieldPath): FieldError[] {
  const { topologyKey = "", labelSelector } = term;
  const errors = [
    ...validateLabelSelector(labelSelector, path.child("labelSelector")),
    ...validateLabelSelector(term.namespaceSelector, path.child("namespaceSelector")),
    ...(term.namespaces ?? []).flatMap((name) =>
      check(path.child("namespace"), name, dns1123Label),
    ),
    ...validateKeys(term.matchLabelKeys, term.mismatchLabelKeys, labelSelector, path),
  ];
  const at = path.child("topologyKey");
  if (topologyKey === "") errors.push(required(at, "can not be empty"));
  return [...errors, ...check(at, topologyKey, qualifiedName)];
}

function validateWeight(weight: number | undefined, path: FieldPath): FieldError[] {
  if (weight !== undefined && weight > 0 && weight <= 100) return [];
  return [invalid(path.child("weight"), weight ?? 0, "must be in the range 1-100")];
}

const requiredTerms = "requiredDuringSchedulingIgnoredDuringExecution";
const preferredTerms = "preferredDuringSchedulingIgnoredDuringExecution";

function validatePodAffinity(affinity: PodAffinity | undefined, path: FieldPath): FieldError[] {
  return [
    ...(affinity?.[requiredTerms] ?? []).flatMap((term, i) =>
      validateTerm(term, path.child(requiredTerms).index(i)),
    ),
    ...(affinity?.[preferredTerms] ?? []).flatMap((weighted, i) => {
      const at = path.child(preferredTerms).index(i);
      return [
        ...validateWeight(weighted.weight, at),
        ...validateTerm(weighted.podAffinityTerm ?? {}, at.child("podAffinityTerm")),
      ];
    }),
  ];
}

export function validateAffinity(affinity: Affinity | undefined, path: FieldPath): FieldError[] {
  if (affinity === undefined) return [];
  const errors: FieldError[] = [];
  const node = affinity.nodeAffinity;
  const at = path.child("nodeAffinity");
  if (node?.[requiredTerms] !== undefined) {
    errors.push(...validateNodeSelector(node[requiredTerms], at.child(requiredTerms)));
  }
  for (const [i, term] of (node?.[preferredTerms] ?? []).entries()) {
    const one = at.child(preferredTerms).index(i);
    errors.push(...validateWeight(term.weight, one));
    errors.push(...validateNodeSelectorTerm(term.preference ?? {}, one.child("preference"), false));
  }
  return [
    ...errors,
    ...validatePodAffinity(affinity.podAffinity, path.child("podAffinity")),
    ...validatePodAffinity(affinity.podAntiAffinity, path.child("podAntiAffinity")),
  ];
}

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function validateTaintEffect(effect: string | undefined, path: FieldPath): FieldError[] {
  return effect ? oneOf(path, effect, effects) : [required(path)];
}

export function validateTolerations(
  tolerations: readonly Toleration[] | undefined,
  path: FieldPath,
): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, i) => {
    const at = path.index(i);
    const { key = "", operator = "", value = "", effect = "" } = toleration;
    const errors = key === "" ? [] : check(at.child("key"), key, qualifiedName);
    if (key === "" && operator !== "Exists") {
      const why =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(at.child("operator"), operator, why));
    }
    if (toleration.tolerationSeconds !== undefined && effect !== "NoExecute") {
      const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalid(at.child("effect"), effect, why));
    }
    if (operator === "Equal" || operator === "") {
      const problems = labelValue(value);
      if (problems.length > 0) {
        errors.push(invalid(at.child("operator"), value, problems.join(";")));
      }
    } else if (operator === "Exists") {
      if (value !== "") {
        const why = "value must be empty when `operator` is 'Exists'";
        errors.push(invalid(at.child("operator"), value, why));
      }
    } else {
      errors.push(notSupported(at.child("operator"), operator, supportedOperators(operator)));
    }
    if (effect !== "") errors.push(...oneOf(at.child("effect"), effect, effects));
    return errors;
  });
}

/** Lt and Gt are known but switched off by default. */
function supportedOperators(operator: string): string[] {
  const usual = ["Equal", "Exists"];
  return operator === "Lt" || operator === "Gt" ? [...usual, "Lt", "Gt"] : usual;
}

function validateConstraint(
  constraint: TopologySpreadConstraint,
  later: readonly TopologySpreadConstraint[],
  path: FieldPath,
): FieldError[] {
  const { maxSkew = 0, topologyKey = "", whenUnsatisfiable = "", minDomains } = constraint;
  const errors: FieldError[] = [];
  if (maxSkew <= 0)
    errors.push(invalid(path.child("maxSkew"), maxSkew, "must be greater than zero"));
  if (topologyKey === "") errors.push(required(path.child("topologyKey"), "can not be empty"));
  const actions = ["DoNotSchedule", "ScheduleAnyway"];
  errors.push(...oneOf(path.child("whenUnsatisfiable"), whenUnsatisfiable, actions));
  const repeated = later.some(
    (one) => one.topologyKey === topologyKey && one.whenUnsatisfiable === whenUnsatisfiable,
  );
  if (repeated) {
    const at = path.child("{topologyKey, whenUnsatisfiable}");
    errors.push(duplicate(at, `{${topologyKey}, ${whenUnsatisfiable}}`));
  }
  if (minDomains !== undefined) {
    const at = path.child("minDomains");
    if (minDomains <= 0) errors.push(invalid(at, minDomains, "must be greater than zero"));
    if (whenUnsatisfiable !== "DoNotSchedule") {
      const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(invalid(at, minDomains, why));
    }
  }
  for (const name of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
    const policy = constraint[name];
    if (policy !== undefined) errors.push(...oneOf(path.child(name), policy, ["Honor", "Ignore"]));
  }
  return [
    ...errors,
    ...validateKeys(constraint.matchLabelKeys, undefined, constraint.labelSelector, path),
    ...validateLabelSelector(constraint.labelSelector, path.child("labelSelector")),
  ];
}

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: FieldPath,
): FieldError[] {
  return (constraints ?? []).flatMap((constraint, i) =>
    validateConstraint(constraint, (constraints ?? []).slice(i + 1), path.index(i)),
  );
}
