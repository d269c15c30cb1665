/**
 * ReplicationController and PodTemplate: what came before ReplicaSet.
 *
 * Source  pkg/registry/core/{replicationcontroller,podtemplate}/strategy.go
 */
import type { PodTemplate, ReplicationController } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateAlwaysRestarts } from "../apps/selector.ts";
import { type FieldError, field, invalid, nonNegative, required } from "../field.ts";
import { kind } from "../generic.ts";
import { longNameOnly } from "../names.ts";
import { age, columns, containerCells, formatLabels, nameOf } from "../table.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { validatePodTemplate } from "./pod/template.ts";
import { templateWarnings } from "./pod/warnings.ts";

function validateController(controller: ReplicationController): FieldError[] {
  const spec = controller.spec ?? {};
  const path = field("spec");
  const errors = nonNegative(path.child("minReadySeconds"), spec.minReadySeconds);
  const selector = Object.entries(spec.selector ?? {});
  if (selector.length === 0) errors.push(required(path.child("selector")));
  errors.push(...nonNegative(path.child("replicas"), spec.replicas));
  const at = path.child("template");
  if (spec.template === undefined) return [...errors, required(at)];
  const labels = spec.template.metadata?.labels ?? {};
  if (selector.some(([key, value]) => labels[key] !== value)) {
    const why = "`selector` does not match template `labels`";
    const shown = spec.template.metadata?.labels ?? null;
    errors.push(invalid(at.child("metadata", "labels"), shown, why));
  }
  return [
    ...errors,
    ...validatePodTemplate(spec.template, at),
    ...validateAlwaysRestarts(spec.template, at, "ReplicationController"),
  ];
}

export const replicationControllerStrategy: ResourceStrategy = kind(
  {
    status: true,
    initialStatus: () => ({ replicas: 0 }),
    generation: ["spec"],
    name: longNameOnly,
  },
  {
    default(object) {
      const controller = object as ReplicationController;
      controller.spec ??= {};
      const spec = controller.spec;
      spec.replicas ??= 1;
      const labels = spec.template?.metadata?.labels;
      if (labels !== undefined) {
        if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
        controller.metadata ??= {};
        const metadata = controller.metadata;
        if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
      }
      defaultPodTemplate(spec.template);
    },
    validate: (object) => validateController(object as ReplicationController),
    validateUpdate: (object, _old, { subresource }) =>
      subresource === "status" ? [] : validateController(object as ReplicationController),
    warnings: (object, old) => templateWarnings(object, old),
    defaultPropagation: "Orphan",
    selectableFields: (object) => ({
      "status.replicas": String((object as ReplicationController).status?.replicas ?? 0),
    }),
    columns: columns(
      "Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*",
    ),
    row(object, now) {
      const { spec, status } = object as ReplicationController;
      return [
        nameOf(object),
        spec?.replicas ?? 0,
        status?.replicas ?? 0,
        status?.readyReplicas ?? 0,
        age(object, now),
        ...containerCells(spec?.template?.spec?.containers),
        formatLabels(spec?.selector),
      ];
    },
  },
);

export const podTemplateStrategy: ResourceStrategy = kind(
  { generation: ["template"] },
  {
    default: (object) => defaultPodTemplate((object as PodTemplate).template),
    validate: (object) =>
      validatePodTemplate((object as PodTemplate).template ?? {}, field("template")),
    validateUpdate: (object) =>
      validatePodTemplate((object as PodTemplate).template ?? {}, field("template")),
    columns: columns("Name, Containers, Images, Pod Labels"),
    row(object) {
      const { template } = object as PodTemplate;
      return [
        nameOf(object),
        ...containerCells(template?.spec?.containers),
        formatLabels(template?.metadata?.labels),
      ];
    },
  },
);
