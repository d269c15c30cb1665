/**
 * FlowSchema and PriorityLevelConfiguration: who waits for whom when the server is busy.
 *
 * Source  pkg/registry/flowcontrol, pkg/apis/flowcontrol/v1/defaults.go
 */
import type { FlowSchema, PriorityLevelConfiguration } from "@nanokube/api/flowcontrol/v1";
import type { ResourceStrategy } from "../core/strategy.ts";
import { type FieldError, field, invalid, oneOf, required } from "./field.ts";
import { allMetadata, kind } from "./generic.ts";
import { age, columns, nameOf } from "./table.ts";

function validateSchema(schema: FlowSchema): FieldError[] {
  const {
    matchingPrecedence = 0,
    priorityLevelConfiguration,
    distinguisherMethod,
  } = schema.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  if (matchingPrecedence <= 0) {
    const why = "must be a positive value";
    errors.push(invalid(path.child("matchingPrecedence"), matchingPrecedence, why));
  }
  if (matchingPrecedence > 10000) {
    const why = "must not be greater than 10000";
    errors.push(invalid(path.child("matchingPrecedence"), matchingPrecedence, why));
  }
  if (!priorityLevelConfiguration?.name) {
    const why = "must reference a priority level";
    errors.push(required(path.child("priorityLevelConfiguration", "name"), why));
  }
  if (distinguisherMethod === undefined) return errors;
  const at = path.child("distinguisherMethod", "type");
  return [...errors, ...oneOf(at, distinguisherMethod.type, ["ByNamespace", "ByUser"])];
}

export const flowSchemaStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"], status: true, statusKeeps: allMetadata, generation: ["spec"] },
  {
    default(object) {
      const { spec } = object as FlowSchema;
      if (spec !== undefined) spec.matchingPrecedence ||= 1000;
    },
    validate: (object) => validateSchema(object as FlowSchema),
    validateUpdate: (object, _old, { subresource }) =>
      subresource === "status" ? [] : validateSchema(object as FlowSchema),
    columns: columns(
      "Name, PriorityLevel, MatchingPrecedence, DistinguisherMethod, Age, MissingPL",
    ),
    row(object, now) {
      const { spec, status } = object as FlowSchema;
      const dangling = status?.conditions?.find((condition) => condition.type === "Dangling");
      return [
        nameOf(object),
        spec?.priorityLevelConfiguration?.name ?? "",
        spec?.matchingPrecedence ?? 0,
        spec?.distinguisherMethod?.type ?? "<none>",
        age(object, now),
        dangling?.status ?? "?",
      ];
    },
  },
);

function defaultLevel(level: PriorityLevelConfiguration): void {
  const { limited, exempt } = level.spec ?? {};
  if (exempt !== undefined) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (limited === undefined) return;
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  const queuing = limited.limitResponse?.queuing;
  if (queuing === undefined) return;
  queuing.queues ||= 64;
  queuing.handSize ||= 8;
  queuing.queueLengthLimit ||= 50;
}

export const priorityLevelStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"], status: true, statusKeeps: allMetadata, generation: ["spec"] },
  {
    default: (object) => defaultLevel(object as PriorityLevelConfiguration),
    validate(object) {
      const { spec } = object as PriorityLevelConfiguration;
      const at = field("spec", "type");
      const errors = oneOf(at, spec?.type, ["Exempt", "Limited"]);
      if (spec?.type === "Limited" && spec.limited === undefined) {
        errors.push(required(field("spec", "limited"), "must not be empty when type is Limited"));
      }
      return errors;
    },
    columns: columns(
      "Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age",
    ),
    row(object, now) {
      const { spec } = object as PriorityLevelConfiguration;
      const queuing = spec?.limited?.limitResponse?.queuing;
      return [
        nameOf(object),
        spec?.type ?? "",
        spec?.limited?.nominalConcurrencyShares ?? "<none>",
        queuing?.queues ?? "<none>",
        queuing?.handSize ?? "<none>",
        queuing?.queueLengthLimit ?? "<none>",
        age(object, now),
      ];
    },
  },
);
