/**
 * PriorityLevelConfiguration: how many requests run at once, and how the others wait.
 *
 * Source  pkg/registry/flowcontrol/prioritylevelconfiguration/strategy.go,
 *         pkg/apis/flowcontrol/validation/validation.go ValidatePriorityLevelConfiguration
 */
import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "@nanokube/api/flowcontrol/v1";
import { bootstrapLevels } from "../../core/flow-control/bootstrap.ts";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateFlowConditions } from "./conditions.ts";

const queuesMax = 10_000_000;
/** Bits of a request's hash, from which its queues are dealt. */
const hashBits = 60;

const fixed: ReadonlyMap<string, PriorityLevelConfigurationSpec> = new Map(
  bootstrapLevels()
    .filter(({ metadata }) => ["exempt", "catch-all"].includes(metadata?.name ?? ""))
    .map(({ metadata, spec }) => [metadata!.name!, spec as PriorityLevelConfigurationSpec]),
);

/** A number out of its range, if it is there at all. */
function outside(
  value: number | undefined,
  path: FieldPath,
  fits: (value: number) => boolean,
  why: string,
): FieldError[] {
  return value === undefined || fits(value) ? [] : [invalid(path, value, why)];
}

interface Shares {
  nominalConcurrencyShares?: number;
  lendablePercent?: number;
}

const validateShares = ({ nominalConcurrencyShares: shares }: Shares, path: FieldPath) =>
  outside(
    shares,
    path.child("nominalConcurrencyShares"),
    (value) => value >= 0,
    "must be a non-negative integer",
  );

const validateLendable = ({ lendablePercent }: Shares, path: FieldPath) =>
  outside(
    lendablePercent,
    path.child("lendablePercent"),
    (value) => value >= 0 && value <= 100,
    "must be between 0 and 100, inclusive",
  );

function validateQueuing(queuing: QueuingConfiguration, path: FieldPath): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const positive = (value: number): boolean => value > 0;
  const at = path.child("handSize");
  const bits = Math.ceil(Math.log2(queues) * handSize);
  const errors = [
    ...outside(queueLengthLimit, path.child("queueLengthLimit"), positive, "must be positive"),
    ...outside(queues, path.child("queues"), positive, "must be positive"),
    ...outside(
      queues,
      path.child("queues"),
      (value) => value <= queuesMax,
      `must not be greater than ${queuesMax}`,
    ),
  ];
  if (handSize <= 0) errors.push(invalid(at, handSize, "must be positive"));
  else if (handSize > queues) {
    errors.push(invalid(at, handSize, `should not be greater than queues (${queues})`));
  } else if (bits > hashBits) {
    const why =
      `required entropy bits of deckSize ${queues} and handSize ${handSize} ` +
      `should not be greater than ${hashBits}`;
    errors.push(invalid(at, handSize, why));
  }
  return errors;
}

function validateResponse({ type = "", queuing }: LimitResponse, path: FieldPath): FieldError[] {
  const at = path.child("queuing");
  if (type === "Reject") {
    const why = "must be nil if limited.limitResponse.type is not Limited";
    return queuing === undefined ? [] : [forbidden(at, why)];
  }
  if (type === "Queue") {
    const why = "must not be empty if limited.limitResponse.type is Limited";
    return queuing === undefined ? [required(at, why)] : validateQueuing(queuing, at);
  }
  if (type === "") return [required(path.child("type"))];
  return [notSupported(path.child("type"), type, ["Queue", "Reject"])];
}

function validateLimited(
  limited: LimitedPriorityLevelConfiguration,
  path: FieldPath,
): FieldError[] {
  return [
    ...validateShares(limited, path),
    ...validateResponse(limited.limitResponse ?? {}, path.child("limitResponse")),
    ...validateLendable(limited, path),
    ...outside(
      limited.borrowingLimitPercent,
      path.child("borrowingLimitPercent"),
      (value) => value >= 0,
      "if specified, must be a non-negative integer",
    ),
  ];
}

function validateSpec(spec: PriorityLevelConfigurationSpec, name: string): FieldError[] {
  const path = field("spec");
  const { type = "", limited, exempt } = spec;
  const at = path.child("type");
  const errors: FieldError[] = [];
  if ((name === "exempt") !== (type === "Exempt")) {
    errors.push(invalid(at, type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  if (type === "Exempt") {
    const why = "must be nil if the type is not Limited";
    if (limited !== undefined) errors.push(forbidden(path.child("limited"), why));
    if (exempt === undefined) return errors;
    const exemptAt = path.child("exempt");
    return [...errors, ...validateShares(exempt, exemptAt), ...validateLendable(exempt, exemptAt)];
  }
  if (type === "Limited") {
    const why = "must be nil if the type is Limited";
    if (exempt !== undefined) errors.push(forbidden(path.child("exempt"), why));
    const limitedAt = path.child("limited");
    return limited === undefined
      ? [...errors, required(limitedAt, "must not be empty when type is Limited")]
      : [...errors, ...validateLimited(limited, limitedAt)];
  }
  const missing = type === "" ? required(at) : notSupported(at, type, ["Exempt", "Limited"]);
  return [...errors, missing];
}

/** Of "exempt" only its own part may be changed, of "catch-all" nothing. */
function validateFixed(spec: PriorityLevelConfigurationSpec, name: string): FieldError[] {
  const wanted = fixed.get(name);
  if (wanted === undefined) return [];
  const isExempt = name === "exempt";
  const { exempt, ...others } = wanted;
  const found = isExempt && exempt !== undefined ? { ...spec, exempt } : spec;
  if (semanticEqual(found, isExempt ? { ...others, exempt } : wanted)) return [];
  const but = isExempt ? " except the 'spec.exempt' field" : "";
  return [invalid(field("spec"), spec, `spec of '${name}'${but} must equal the fixed value`)];
}

const keepZeroShares = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

function validateLevel(level: PriorityLevelConfiguration): FieldError[] {
  const { metadata, spec = {}, status } = level;
  const name = metadata?.name ?? "";
  const why = `annotation '${keepZeroShares}' is forbidden`;
  return [
    ...(Object.hasOwn(metadata?.annotations ?? {}, keepZeroShares)
      ? [forbidden(field("metadata", "annotations"), why)]
      : []),
    ...validateSpec(spec, name),
    ...validateFixed(spec, name),
    ...validateFlowConditions(status?.conditions),
  ];
}

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
    validate: (object) => validateLevel(object as PriorityLevelConfiguration),
    validateUpdate: (object, _old, { subresource }) =>
      subresource === "status"
        ? validateFlowConditions((object as PriorityLevelConfiguration).status?.conditions)
        : validateLevel(object as PriorityLevelConfiguration),
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
