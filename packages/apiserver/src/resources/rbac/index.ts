/**
 * Roles and their bindings.
 *
 * Source  pkg/registry/rbac, pkg/apis/rbac/validation/validation.go, pkg/apis/rbac/v1/defaults.go
 */
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Subject } from "@nanokube/api/rbac/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { validateLabelSelector } from "../labels.ts";
import { dns1123Subdomain, pathSegment } from "../names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";

const group = "rbac.authorization.k8s.io";

function validateRule(rule: PolicyRule, namespaced: boolean, path: FieldPath): FieldError[] {
  const { apiGroups = [], resources = [], resourceNames = [] } = rule;
  const verbs = rule.verbs ?? [];
  const urls = rule.nonResourceURLs ?? [];
  const errors: FieldError[] = [];
  if (verbs.length === 0) {
    errors.push(required(path.child("verbs"), "verbs must contain at least one value"));
  }
  if (urls.length > 0) {
    const at = path.child("nonResourceURLs");
    if (namespaced) {
      errors.push(invalid(at, urls, "namespaced rules cannot apply to non-resource URLs"));
    }
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      const why = "rules cannot apply to both regular resources and non-resource URLs";
      errors.push(invalid(at, urls, why));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    const why = "resource rules must supply at least one api group";
    errors.push(required(path.child("apiGroups"), why));
  }
  if (resources.length === 0) {
    const why = "resource rules must supply at least one resource";
    errors.push(required(path.child("resources"), why));
  }
  return errors;
}

function validateRole(role: ClusterRole, namespaced: boolean): FieldError[] {
  const errors = (role.rules ?? []).flatMap((rule, i) =>
    validateRule(rule, namespaced, field("rules").index(i)),
  );
  if (namespaced || role.aggregationRule === undefined) return errors;
  const path = field("aggregationRule", "clusterRoleSelectors");
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    const why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
    errors.push(required(path, why));
  }
  return [
    ...errors,
    ...selectors.flatMap((selector, i) => {
      const problems = validateLabelSelector(selector, path.index(i));
      if (problems.length > 0)
        problems.push(invalid(path.index(i), null, "invalid label selector."));
      return problems;
    }),
  ];
}

function validateSubject(subject: Subject, namespaced: boolean, path: FieldPath): FieldError[] {
  const { kind: kindName = "", name = "", apiGroup = "", namespace } = subject;
  const errors = name === "" ? [required(path.child("name"))] : [];
  const at = path.child("apiGroup");
  if (kindName === "ServiceAccount") {
    if (name !== "") errors.push(...check(path.child("name"), name, dns1123Subdomain));
    if (apiGroup !== "") errors.push(notSupported(at, apiGroup, [""]));
    if (!namespaced && !namespace) errors.push(required(path.child("namespace")));
  } else if (kindName === "User" || kindName === "Group") {
    errors.push(...oneOf(at, apiGroup, [group]));
  } else {
    errors.push(notSupported(path.child("kind"), kindName, ["ServiceAccount", "User", "Group"]));
  }
  return errors;
}

function validateBinding(binding: ClusterRoleBinding, namespaced: boolean): FieldError[] {
  const path = field("roleRef");
  const { apiGroup, kind: kindName, name = "" } = binding.roleRef ?? {};
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  const errors = [
    ...oneOf(path.child("apiGroup"), apiGroup, [group]),
    ...oneOf(path.child("kind"), kindName, kinds),
  ];
  if (name === "") errors.push(required(path.child("name")));
  else errors.push(...check(path.child("name"), name, pathSegment));
  return [
    ...errors,
    ...(binding.subjects ?? []).flatMap((subject, i) =>
      validateSubject(subject, namespaced, field("subjects").index(i)),
    ),
  ];
}

function defaultBinding(binding: ClusterRoleBinding): void {
  if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= group;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= group;
  }
}

function subjectsText(binding: ClusterRoleBinding): string[] {
  const subjects = binding.subjects ?? [];
  const names = (kindName: string) =>
    subjects
      .filter((subject) => subject.kind === kindName)
      .map((subject) =>
        kindName === "ServiceAccount" && subject.namespace
          ? `${subject.namespace}/${subject.name}`
          : (subject.name ?? ""),
      )
      .join(", ");
  return [names("User"), names("Group"), names("ServiceAccount")];
}

function roleKind(namespaced: boolean): ResourceStrategy {
  return kind(
    { updateMeta: ["whole", "update"], name: pathSegment },
    {
      validate: (object) => validateRole(object as ClusterRole, namespaced),
      validateUpdate: (object) => validateRole(object as ClusterRole, namespaced),
      allowCreateOnUpdate: true,
      columns: columns("Name, Created At:date"),
      row: (object) => [nameOf(object), object.metadata?.creationTimestamp ?? null],
    },
  );
}

function bindingKind(namespaced: boolean): ResourceStrategy {
  return kind(
    { updateMeta: ["whole", "update"], name: pathSegment },
    {
      default: (object) => defaultBinding(object as ClusterRoleBinding),
      validate: (object) => validateBinding(object as ClusterRoleBinding, namespaced),
      validateUpdate(object, old) {
        const errors = validateBinding(object as ClusterRoleBinding, namespaced);
        if (!semanticEqual(object.roleRef, old.roleRef)) {
          errors.push(invalid(field("roleRef"), object.roleRef, "cannot change roleRef"));
        }
        return errors;
      },
      allowCreateOnUpdate: true,
      columns: columns("Name, Role, Age, Users*, Groups*, ServiceAccounts*"),
      row(object, now) {
        const { roleRef } = object as ClusterRoleBinding;
        const role = `${roleRef?.kind ?? ""}/${roleRef?.name ?? ""}`;
        const subjects = subjectsText(object as ClusterRoleBinding);
        return [nameOf(object), role, age(object, now), ...subjects];
      },
    },
  );
}

export const rbacStrategies: readonly [string, ResourceStrategy][] = [
  [`${group}/Role`, roleKind(true)],
  [`${group}/ClusterRole`, roleKind(false)],
  [`${group}/RoleBinding`, bindingKind(true)],
  [`${group}/ClusterRoleBinding`, bindingKind(false)],
];
