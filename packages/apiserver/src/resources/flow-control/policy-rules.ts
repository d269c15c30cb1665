/**
 * spec.rules of a FlowSchema: whose requests for what.
 *
 * Source  pkg/apis/flowcontrol/validation/validation.go ValidateFlowSchemaPolicyRulesWithSubjects
 */
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  ServiceAccountSubject,
  Subject,
} from "@nanokube/api/flowcontrol/v1";
import {
  check,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../field.ts";
import { dns1123Label, dns1123Subdomain } from "../names.ts";

const verbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "proxy",
  "update",
  "watch",
];

/** What a subject of each kind is described by; it may have no other. */
const members = [
  ["ServiceAccount", "serviceAccount"],
  ["User", "user"],
  ["Group", "group"],
] as const;

function validateAccount(account: ServiceAccountSubject, path: FieldPath): FieldError[] {
  const { name = "", namespace = "" } = account;
  const errors = name === "" ? [required(path.child("name"))] : [];
  if (name !== "" && name !== "*")
    errors.push(...check(path.child("name"), name, dns1123Subdomain));
  const at = path.child("namespace");
  if (namespace !== "") return [...errors, ...check(at, namespace, dns1123Label)];
  return [...errors, required(at, "must specify namespace for service account")];
}

function validateSubject(subject: Subject, path: FieldPath): FieldError[] {
  const own = members.find(([kind]) => kind === subject.kind);
  if (own === undefined) {
    const kinds = ["Group", "ServiceAccount", "User"];
    return [notSupported(path.child("kind"), subject.kind ?? "", kinds)];
  }
  const [kind, member] = own;
  const at = path.child(member);
  const errors: FieldError[] = [];
  const value = subject[member];
  if (value === undefined) {
    errors.push(required(at, `${member} is required when subject kind is '${kind}'`));
  } else if (member === "serviceAccount") errors.push(...validateAccount(value, at));
  else if (!value.name) errors.push(required(at.child("name")));
  for (const [otherKind, other] of members) {
    if (other === member || subject[other] === undefined) continue;
    const why = `${other} is forbidden when subject kind is not '${otherKind}'`;
    errors.push(forbidden(path.child(other), why));
  }
  return errors;
}

function validateVerbs(list: readonly string[], path: FieldPath): FieldError[] {
  if (list.length === 0) return [required(path, "verbs must contain at least one value")];
  if (list.includes("*")) return validateWildcard(list, path, "verbs");
  return list.every((verb) => verbs.includes(verb)) ? [] : [unsupported(path, list)];
}

/** Upstream shows the whole list. */
const unsupported = (path: FieldPath, list: unknown): FieldError => notSupported(path, list, verbs);

/** "*" stands alone. */
function validateWildcard(list: readonly string[], path: FieldPath, what: string): FieldError[] {
  if (list.length <= 1 || !list.includes("*")) return [];
  return [invalid(path, list, `if '*' is present, must not specify other ${what}`)];
}

function pathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path === "/") return undefined;
  if (!path.startsWith("/")) return "must start with slash";
  if (path.includes(" ")) return "must not contain white-space";
  if (path.includes("//")) return "must not contain double slash";
  const wildcards = path.split("*").length - 1;
  const isSuffix = wildcards === 1 && path.endsWith("/*");
  return wildcards === 0 || isSuffix ? undefined : "wildcard can only do suffix matching";
}

function validateNonResourceRule(rule: NonResourcePolicyRule, path: FieldPath): FieldError[] {
  const urls = rule.nonResourceURLs ?? [];
  const at = path.child("nonResourceURLs");
  const errors = validateVerbs(rule.verbs ?? [], path.child("verbs"));
  if (urls.length === 0) {
    return [...errors, required(at, "nonResourceURLs must contain at least one value")];
  }
  if (urls.includes("*")) return [...errors, ...validateWildcard(urls, at, "non-resource URLs")];
  for (const [i, url] of urls.entries()) {
    const why = pathProblem(url);
    if (why !== undefined) errors.push(invalid(at.index(i), url, why));
  }
  return errors;
}

function validateNamespaces(rule: ResourcePolicyRule, path: FieldPath): FieldError[] {
  const namespaces = rule.namespaces ?? [];
  const { clusterScope = false } = rule;
  if (namespaces.length === 0 && !clusterScope) {
    const why = "resource rules that are not cluster scoped must supply at least one namespace";
    return [required(path, why)];
  }
  if (namespaces.includes("*")) return validateWildcard(namespaces, path, "namespaces");
  const intro = "each member of this list must be '*' or a DNS-1123 label; ";
  return namespaces.flatMap((name, i) =>
    dns1123Label(name).map((why) => invalid(path.index(i), name, intro + why)),
  );
}

function validateResourceRule(rule: ResourcePolicyRule, path: FieldPath): FieldError[] {
  const apiGroups = rule.apiGroups ?? [];
  const resources = rule.resources ?? [];
  const errors = validateVerbs(rule.verbs ?? [], path.child("verbs"));
  for (const [list, name, one, more] of [
    [apiGroups, "apiGroups", "api group", "api groups"],
    [resources, "resources", "resource", "resources"],
  ] as const) {
    const at = path.child(name);
    if (list.length > 0) errors.push(...validateWildcard(list, at, more));
    else errors.push(required(at, `resource rules must supply at least one ${one}`));
  }
  return [...errors, ...validateNamespaces(rule, path.child("namespaces"))];
}

export function validatePolicyRules(rule: PolicyRulesWithSubjects, path: FieldPath): FieldError[] {
  const subjects = rule.subjects ?? [];
  const resourceRules = rule.resourceRules ?? [];
  const nonResourceRules = rule.nonResourceRules ?? [];
  const at = path.child("subjects");
  const errors = subjects.flatMap((subject, i) => validateSubject(subject, at.index(i)));
  if (subjects.length === 0) {
    errors.push(required(at, "subjects must contain at least one value"));
  }
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    const why = "at least one of resourceRules and nonResourceRules has to be non-empty";
    errors.push(required(path, why));
  }
  return [
    ...errors,
    ...resourceRules.flatMap((one, i) =>
      validateResourceRule(one, path.child("resourceRules").index(i)),
    ),
    ...nonResourceRules.flatMap((one, i) =>
      validateNonResourceRule(one, path.child("nonResourceRules").index(i)),
    ),
  ];
}
