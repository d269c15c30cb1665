/**
 * ControllerRevision: one version of a template, immutable.
 *
 * Source  pkg/registry/apps/controllerrevision/strategy.go
 */
import type { ControllerRevision } from "@nanokube/api/apps/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { field, nonNegative, required } from "../field.ts";
import { kind } from "../generic.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";

function controllerOf(revision: ControllerRevision): string {
  const owner = revision.metadata?.ownerReferences?.find((reference) => reference.controller);
  if (owner === undefined) return "<none>";
  const group = (owner.apiVersion ?? "").includes("/") ? owner.apiVersion?.split("/")[0] : "";
  const kindName = group ? `${owner.kind}.${group}` : (owner.kind ?? "");
  return `${kindName.toLowerCase()}/${owner.name}`;
}

export const controllerRevisionStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"] },
  {
    validate(object) {
      const revision = object as ControllerRevision;
      const errors = nonNegative(field("revision"), revision.revision);
      const data: unknown = revision.data;
      if (data === undefined || data === null) {
        errors.push(required(field("data"), "data is mandatory"));
      } else if (typeof data !== "object" || Array.isArray(data)) {
        errors.push(required(field("data"), "data must be a valid JSON object"));
      }
      return errors;
    },
    validateUpdate: (object, old) => [
      ...nonNegative(field("revision"), (object as ControllerRevision).revision),
      ...validateImmutable(object.data, old.data, field("data")),
    ],
    columns: columns("Name, Controller, Revision, Age"),
    row: (object, now) => [
      nameOf(object),
      controllerOf(object as ControllerRevision),
      (object as ControllerRevision).revision ?? 0,
      age(object, now),
    ],
  },
);
