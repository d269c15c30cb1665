/**
 * Node validation: taints, resources, addresses; CIDRs and provider id are set once.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateNode, ValidateNodeUpdate
 */
import type { Node, Taint } from "@nanokube/api/core/v1";
import { FieldError as Failure } from "@nanokube/machinery";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
} from "../field.ts";
import { familyOf, validateCIDR } from "../ip.ts";
import { labelValue, qualifiedName } from "../names.ts";
import { validateResourceQuantity } from "../resource-names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { validateTaintEffect } from "./pod/affinity.ts";

function validateTaints(taints: readonly Taint[] | undefined, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return (taints ?? []).flatMap((taint, i) => {
    const at = path.index(i);
    const { key = "", value = "", effect = "" } = taint;
    const errors = check(at.child("key"), key, qualifiedName);
    const problems = labelValue(value);
    if (problems.length > 0) errors.push(invalid(at.child("value"), value, problems.join(";")));
    errors.push(...validateTaintEffect(effect, at.child("effect")));
    if (seen.has(`${effect}/${key}`)) {
      const why = "taints must be unique by key and effect pair";
      errors.push(new Failure("FieldValueDuplicate", at, taint, why));
    }
    seen.add(`${effect}/${key}`);
    return errors;
  });
}

function validateResources(node: Node): FieldError[] {
  return (["capacity", "allocatable"] as const).flatMap((list) =>
    Object.entries(node.status?.[list] ?? {}).flatMap(([name, value]) =>
      validateResourceQuantity(name, String(value), field("status", list, name)),
    ),
  );
}

export function validateNode(node: Node): FieldError[] {
  const cidrs = node.spec?.podCIDRs ?? [];
  const path = field("spec", "podCIDRs");
  const errors = [
    // Upstream says metadata.taints.
    ...validateTaints(node.spec?.taints, field("metadata", "taints")),
    ...validateResources(node),
    ...cidrs.flatMap((cidr, i) => validateCIDR(path.index(i), cidr)),
  ];
  const families = new Set(cidrs.map((cidr) => familyOf(cidr.split("/")[0] ?? "")));
  if (cidrs.length > 1 && (families.size < 2 || cidrs.length > 2)) {
    errors.push(invalid(path, cidrs, "may specify no more than one CIDR for each IP family"));
  }
  return errors;
}

export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const errors = [...validateNode(node), ...validateResources(node)];
  const addresses: unknown[] = [];
  for (const [i, address] of (node.status?.addresses ?? []).entries()) {
    if (addresses.some((one) => semanticEqual(one, address))) {
      errors.push(duplicate(field("status", "addresses").index(i), address));
    }
    addresses.push(address);
  }
  const [spec, before] = [node.spec ?? {}, old.spec ?? {}];
  if ((before.podCIDRs ?? []).length > 0 && !semanticEqual(spec.podCIDRs, before.podCIDRs)) {
    const why = 'node updates may not change podCIDR except from "" to valid';
    errors.push(forbidden(field("spec", "podCIDRs"), why));
  }
  if (before.providerID && spec.providerID !== before.providerID) {
    const why = 'node updates may not change providerID except from "" to valid';
    errors.push(forbidden(field("spec", "providerID"), why));
  }
  errors.push(...validateTaints(spec.taints, field("metadata", "taints")));
  if ((spec.externalID ?? "") !== (before.externalID ?? "")) {
    errors.push(forbidden(field("spec", "externalID"), "may not be updated"));
  }
  return errors;
}
