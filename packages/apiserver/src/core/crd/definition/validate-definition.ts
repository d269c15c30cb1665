/**
 * A CustomResourceDefinition as a whole: group, names, versions, their schemas, conversion.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
 */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from "@nanokube/api/apiextensions/v1";
import {
  deepEqual,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  required,
} from "@nanokube/machinery";
import { dns1035Label, dns1123Subdomain } from "../../../resources/names.ts";
import { validateImmutable } from "../../../resources/object-meta.ts";
import { approvalKey, approvalState, isProtected } from "../approval.ts";
import { isTree, type Schema } from "../structural-schema.ts";
import { validateConversion } from "./conversion.ts";
import { validateNames } from "./names.ts";
import { validateRootSchema } from "./root-schema.ts";
import { validateColumn, validateSelectableFields, validateSubresources } from "./version-parts.ts";

export function isEstablished(crd: CustomResourceDefinition): boolean {
  const conditions = crd.status?.conditions ?? [];
  return conditions.some((one) => one.type === "Established" && one.status === "True");
}

const schemaOf = (version: CustomResourceDefinitionVersion): Schema | undefined =>
  version.schema?.openAPIV3Schema as Schema | undefined;

/** Members that are null are as good as absent, but for values that a schema names. */
function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  if (!isTree(value)) return value;
  const entries = Object.entries(value)
    .filter(([, member]) => member !== null)
    .map(([key, member]) => [key, asGiven.has(key) ? member : withoutNulls(member)] as const);
  return Object.fromEntries(entries) as T;
}

const asGiven = new Set(["default", "enum", "example"]);

export function validateDefinition(
  given: CustomResourceDefinition,
  before?: CustomResourceDefinition,
): FieldError[] {
  const crd = withoutNulls(given);
  const old = before && withoutNulls(before);
  const spec = crd.spec ?? {};
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  errors.push(...validateSpec(spec, path, old), ...validateStored(crd));
  if (old !== undefined) errors.push(...validateFrozen(spec, old, path));
  return [...errors, ...validateApproval(crd, old)];
}

function validateFrozen(
  spec: CustomResourceDefinitionSpec,
  old: CustomResourceDefinition,
  path: FieldPath,
): FieldError[] {
  const before = old.spec ?? {};
  const errors: FieldError[] = [];
  if (isEstablished(old)) {
    errors.push(...validateImmutable(spec.scope, before.scope, path.child("scope")));
    const at = path.child("names", "kind");
    errors.push(...validateImmutable(spec.names?.kind, before.names?.kind, at));
  }
  errors.push(...validateImmutable(spec.group, before.group, path.child("group")));
  const at = path.child("names", "plural");
  return [...errors, ...validateImmutable(spec.names?.plural, before.names?.plural, at)];
}

function validateStored(crd: CustomResourceDefinition): FieldError[] {
  const stored = crd.status?.storedVersions ?? [];
  const path = FieldPath.root("status").child("storedVersions");
  if (stored.length === 0) {
    return [invalidValue(path, null, "must have at least one stored version")];
  }
  const versions = crd.spec?.versions ?? [];
  const errors: FieldError[] = [];
  for (const { name = "", storage } of versions) {
    if (!storage || stored.includes(name)) continue;
    errors.push(invalidValue(path, stored, `must have the storage version ${name}`));
  }
  for (const [i, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    const stay = `and must remain in spec.versions until a storage migration ensures no data`;
    const gone = `remains persisted in ${name} and removes ${name} from status.storedVersions`;
    const was = `${name} was previously a storage version`;
    const why = `missing from spec.versions; ${was}, ${stay} ${gone}`;
    errors.push(invalidValue(path.index(i), name, why));
  }
  return errors;
}

function validateApproval(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  if (!isProtected(crd)) return [];
  const approval = crd.metadata?.annotations?.[approvalKey];
  if (old !== undefined && old.metadata?.annotations?.[approvalKey] === approval) return [];
  const at = FieldPath.root("metadata").child("annotations").key(approvalKey);
  const { reason, message } = approvalState(crd);
  if (reason === "MissingAnnotation") return [required(at, message)];
  return reason === "InvalidAnnotation" ? [invalidValue(at, approval, message)] : [];
}

function validateSpec(
  spec: CustomResourceDefinitionSpec,
  path: FieldPath,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const { group = "", scope = "", versions = [] } = spec;
  const groupErrors = dns1123Subdomain(group);
  const at = path.child("group");
  if (group === "") errors.push(required(at, ""));
  else if (groupErrors.length > 0) errors.push(invalidValue(at, group, groupErrors.join(",")));
  else if (!group.includes(".")) {
    errors.push(invalidValue(at, group, "should be a domain with at least one dot"));
  }
  const scopes = ["Cluster", "Namespaced"];
  if (scope === "") errors.push(required(path.child("scope"), ""));
  else if (!scopes.includes(scope)) errors.push(notSupported(path.child("scope"), scope, scopes));
  for (const [i, version] of versions.entries()) {
    if (schemaOf(version) === undefined) {
      const place = path.child("versions").index(i).child("schema", "openAPIV3Schema");
      errors.push(required(place, ""));
    }
  }
  const alike = likenessOf(versions);
  for (const [i, version] of versions.entries()) {
    const place = path.child("versions").index(i);
    errors.push(...validateVersionName(version, place));
    errors.push(...validateParts(version, place, old, (part) => !alike[part]));
  }
  errors.push(...validateVersionList(spec.versions, path.child("versions"), alike));
  const first = versions[0]?.name ?? "";
  const why = versions.length === 0 ? [] : dns1035Label(first);
  if (why.length > 0) errors.push(invalidValue(path.child("version"), first, why.join(",")));
  errors.push(...validateNames(spec, path.child("names")));
  if (spec.preserveUnknownFields && !old?.spec?.preserveUnknownFields) {
    const text =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(invalidValue(path.child("preserveUnknownFields"), true, text));
  }
  if (versions[0] !== undefined) {
    errors.push(...validateParts(versions[0], path, old, (part) => alike[part]));
  }
  return [...errors, ...validateConversion(spec, path.child("conversion"), old)];
}

type Part = "schema" | "subresources" | "additionalPrinterColumns" | "selectableFields";

/** What all versions say alike, upstream checks once, as said of the whole. */
function likenessOf(versions: readonly CustomResourceDefinitionVersion[]): Record<Part, boolean> {
  const [first] = versions;
  const same = (part: Part) =>
    versions.every((version) => deepEqual(version[part] ?? null, first?.[part] ?? null));
  return {
    schema: same("schema"),
    subresources: same("subresources"),
    additionalPrinterColumns: same("additionalPrinterColumns"),
    selectableFields: same("selectableFields"),
  };
}

function validateVersionList(
  given: readonly CustomResourceDefinitionVersion[] | undefined,
  path: FieldPath,
  alike: Record<Part, boolean>,
): FieldError[] {
  const errors: FieldError[] = [];
  const versions = given ?? [];
  const names = versions.map((version) => version.name);
  const shown = versions.map((version) =>
    Object.fromEntries(Object.entries(version).filter(([key]) => !alike[key as Part])),
  );
  if (new Set(names).size < names.length) {
    errors.push(invalidValue(path, shown, "must contain unique version names"));
  }
  if (versions.filter((version) => version.storage).length !== 1) {
    const why = "must have exactly one version marked as storage version";
    errors.push(invalidValue(path, given === undefined ? null : shown, why));
  }
  return errors;
}

function validateVersionName(
  version: CustomResourceDefinitionVersion,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name = "", deprecated, deprecationWarning: warning } = version;
  const why = dns1035Label(name);
  if (why.length > 0) errors.push(invalidValue(path.child("name"), name, why.join(",")));
  for (const text of warningErrors(deprecated, warning)) {
    errors.push(invalidValue(path.child("deprecationWarning"), warning, text));
  }
  return errors;
}

function validateParts(
  version: CustomResourceDefinitionVersion,
  path: FieldPath,
  old: CustomResourceDefinition | undefined,
  isHere: (part: Part) => boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const isWhole = path.toString() === "spec";
  const schema = schemaOf(version);
  if (isHere("schema") && schema !== undefined) {
    const before = old?.spec?.versions?.find((each) => each.name === version.name);
    const unchanged = before !== undefined && deepEqual(schema, schemaOf(before) ?? {});
    const hasStatus = version.subresources?.status !== undefined;
    const at = path.child(isWhole ? "validation" : "schema");
    errors.push(...validateRootSchema(schema, at, hasStatus, unchanged));
  }
  if (isHere("subresources")) {
    errors.push(...validateSubresources(version.subresources, path.child("subresources")));
  }
  if (isHere("additionalPrinterColumns")) {
    for (const [i, column] of (version.additionalPrinterColumns ?? []).entries()) {
      errors.push(...validateColumn(column, path.child("additionalPrinterColumns").index(i)));
    }
  }
  if (!isHere("selectableFields")) return errors;
  return [
    ...errors,
    ...validateSelectableFields(
      version.selectableFields ?? [],
      schema,
      path.child("selectableFields"),
    ),
  ];
}

function warningErrors(deprecated: boolean | undefined, warning: string | undefined): string[] {
  if (warning === undefined) return [];
  if (!deprecated) return ["can only be set for deprecated versions"];
  const errors: string[] = [];
  if (new TextEncoder().encode(warning).length > 256) errors.push("must be <= 256 characters long");
  if (warning === "") errors.push("must not be an empty string");
  const bad = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning);
  if (bad !== null) {
    const lead = "must only contain printable UTF-8 characters; non-printable character found";
    errors.push(`${lead} at index ${bad.index}`);
  }
  return errors;
}
