/**
 * CustomResourceDefinition: names, scope and versions of a kind that users bring.
 *
 * Source  staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition,
 *         pkg/apis/apiextensions/{v1/defaults.go,validation/validation.go}
 */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
} from "@nanokube/api/apiextensions/v1";
import type { ResourceStrategy } from "../core/strategy.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  oneOf,
  required,
} from "./field.ts";
import { kind } from "./generic.ts";
import { dns1035Label, dns1123Subdomain } from "./names.ts";
import { validateImmutable } from "./object-meta.ts";
import { columns, nameOf } from "./table.ts";

function storageVersion(crd: CustomResourceDefinition): string | undefined {
  return crd.spec?.versions?.find((version) => version.storage)?.name;
}

function defaultDefinition(crd: CustomResourceDefinition): void {
  crd.spec ??= {};
  const { spec } = crd;
  spec.names ??= {};
  if (spec.names.kind) {
    spec.names.singular ||= spec.names.kind.toLowerCase();
    spec.names.listKind ||= `${spec.names.kind}List`;
  }
  spec.conversion ??= { strategy: "None" };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

function addStoredVersion(crd: CustomResourceDefinition): void {
  const stored = storageVersion(crd);
  if (stored === undefined) return;
  crd.status ??= {};
  const versions = crd.status.storedVersions ?? [];
  if (!versions.includes(stored)) crd.status.storedVersions = [...versions, stored];
}

function validateNames(spec: CustomResourceDefinitionSpec, path: FieldPath): FieldError[] {
  const names = spec.names ?? {};
  const errors: FieldError[] = [];
  for (const name of ["plural", "singular", "kind", "listKind"] as const) {
    const value = names[name];
    if (!value) {
      errors.push(required(path.child(name)));
      continue;
    }
    const rule = dns1035Label(value.toLowerCase());
    errors.push(...rule.map((why) => invalid(path.child(name), value, why)));
  }
  if (names.kind && names.kind === names.listKind) {
    errors.push(
      invalid(path.child("listKind"), names.listKind, "kind and listKind may not be the same"),
    );
  }
  for (const list of ["shortNames", "categories"] as const) {
    for (const [i, value] of (names[list] ?? []).entries()) {
      errors.push(...check(path.child(list).index(i), value, dns1035Label));
    }
  }
  return errors;
}

function validateVersions(spec: CustomResourceDefinitionSpec, path: FieldPath): FieldError[] {
  const versions = spec.versions ?? [];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    const at = path.index(i);
    const { name = "", schema } = version;
    errors.push(...check(at.child("name"), name, dns1035Label));
    if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
    seen.add(name);
    if (schema?.openAPIV3Schema === undefined) {
      const why = "schemas are required";
      errors.push(required(at.child("schema", "openAPIV3Schema"), why));
    } else if (schema.openAPIV3Schema.type !== "object") {
      const own = at.child("schema", "openAPIV3Schema", "type");
      const type = schema.openAPIV3Schema.type;
      if (!type) errors.push(required(own, "must not be empty at the root"));
      else errors.push(invalid(own, type, 'must be "object" at the root'));
    }
  }
  if (versions.length === 0) {
    errors.push(required(path, "must have at least one version"));
  } else if (versions.filter((version) => version.storage).length !== 1) {
    const why = "must have exactly one version marked as storage version";
    errors.push(invalid(path, versions, why));
  }
  return errors;
}

function validateDefinition(crd: CustomResourceDefinition): FieldError[] {
  const spec = crd.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  const { group = "", names, scope } = spec;
  const expected = `${names?.plural ?? ""}.${group}`;
  if (crd.metadata?.name !== expected) {
    const why = `must be spec.names.plural+"."+spec.group`;
    errors.push(invalid(field("metadata", "name"), crd.metadata?.name ?? "", why));
  }
  if (group === "") errors.push(required(path.child("group")));
  else {
    errors.push(...check(path.child("group"), group, dns1123Subdomain));
    if (!group.includes(".")) {
      const why = "should be a domain with at least one dot";
      errors.push(invalid(path.child("group"), group, why));
    }
  }
  errors.push(...oneOf(path.child("scope"), scope, ["Cluster", "Namespaced"]));
  errors.push(...validateVersions(spec, path.child("versions")));
  errors.push(...validateNames(spec, path.child("names")));
  const strategy = spec.conversion?.strategy;
  const conversion = path.child("conversion", "strategy");
  return [...errors, ...oneOf(conversion, strategy, ["None", "Webhook"])];
}

const frozenNames = ["group", "scope"] as const;

export const customResourceDefinitionStrategy: ResourceStrategy = kind(
  { finalizers: "plain", status: true, generation: ["spec"] },
  {
    default: (object) => defaultDefinition(object as CustomResourceDefinition),
    prepareForCreate: (object) => addStoredVersion(object as CustomResourceDefinition),
    prepareForUpdate(object, _old, { subresource }) {
      if (subresource === "") addStoredVersion(object as CustomResourceDefinition);
    },
    validate: (object) => validateDefinition(object as CustomResourceDefinition),
    validateUpdate(object, old, { subresource }) {
      const [now, before] = [object as CustomResourceDefinition, old as CustomResourceDefinition];
      if (subresource === "status") return [];
      const errors = validateDefinition(now);
      const established = before.status?.conditions?.some(
        (condition) => condition.type === "Established" && condition.status === "True",
      );
      for (const name of frozenNames) {
        if (name === "scope" && !established) continue;
        const at = field("spec", name);
        errors.push(...validateImmutable(now.spec?.[name], before.spec?.[name], at));
      }
      if (!established) return errors;
      for (const name of ["kind", "plural"] as const) {
        const at = field("spec", "names", name);
        errors.push(...validateImmutable(now.spec?.names?.[name], before.spec?.names?.[name], at));
      }
      return errors;
    },
    allowUnconditionalUpdate: false,
    columns: columns("Name, Created At:date"),
    row: (object) => [nameOf(object), object.metadata?.creationTimestamp ?? null],
  },
);
