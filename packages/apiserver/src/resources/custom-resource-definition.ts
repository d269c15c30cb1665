/**
 * CustomResourceDefinition: names, scope and versions of a kind that users bring.
 *
 * Source  staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition,
 *         pkg/apis/apiextensions/{v1/defaults.go,validation/validation.go}
 */
import type { CustomResourceDefinition } from "@nanokube/api/apiextensions/v1";
import { validateDefinition } from "../core/crd/definition/validate-definition.ts";
import type { ResourceStrategy } from "../core/strategy.ts";
import { kind } from "./generic.ts";
import { dns1123Subdomain, type NameRule } from "./names.ts";
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

const nameOfDefinition = ({ spec }: CustomResourceDefinition): NameRule => {
  const wanted = `${spec?.names?.plural ?? ""}.${spec?.group ?? ""}`;
  return (name, prefix) => [
    ...dns1123Subdomain(name, prefix),
    ...(name === wanted ? [] : ['must be spec.names.plural+"."+spec.group']),
  ];
};

export const customResourceDefinitionStrategy: ResourceStrategy = kind(
  {
    finalizers: "plain",
    status: true,
    generation: ["spec"],
    nameFor: (object) => nameOfDefinition(object as CustomResourceDefinition),
  },
  {
    default: (object) => defaultDefinition(object as CustomResourceDefinition),
    prepareForCreate: (object) => addStoredVersion(object as CustomResourceDefinition),
    prepareForUpdate(object, _old, { subresource }) {
      if (subresource === "") addStoredVersion(object as CustomResourceDefinition);
    },
    validate: (object) => validateDefinition(object as CustomResourceDefinition),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status"
        ? []
        : validateDefinition(object as CustomResourceDefinition, old as CustomResourceDefinition),
    allowUnconditionalUpdate: false,
    columns: columns("Name, Created At:date"),
    row: (object) => [nameOf(object), object.metadata?.creationTimestamp ?? null],
  },
);
