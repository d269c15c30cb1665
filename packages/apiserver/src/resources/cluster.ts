/**
 * Lease, PriorityClass and RuntimeClass: one small kind of a group each.
 *
 * Source  pkg/registry/{coordination/lease,scheduling/priorityclass,node/runtimeclass}
 */
import type { Lease } from "@nanokube/api/coordination/v1";
import type { Toleration } from "@nanokube/api/core/v1";
import type { RuntimeClass } from "@nanokube/api/node/v1";
import type { PriorityClass } from "@nanokube/api/scheduling/v1";
import type { ResourceStrategy } from "../core/strategy.ts";
import { validateTolerations } from "./core/pod/affinity.ts";
import { validateRequirements } from "./core/pod/requirements.ts";
import {
  check,
  duplicate,
  type FieldError,
  field,
  forbidden,
  invalid,
  oneOf,
  required,
} from "./field.ts";
import { kind } from "./generic.ts";
import { validateLabels } from "./labels.ts";
import { dns1123Label } from "./names.ts";
import { validateImmutable } from "./object-meta.ts";
import { age, columns, nameOf } from "./table.ts";

function validateLease(lease: Lease): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, preferredHolder, strategy } = lease.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    const at = path.child("leaseDurationSeconds");
    errors.push(invalid(at, leaseDurationSeconds, "must be greater than 0"));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    const at = path.child("leaseTransitions");
    errors.push(invalid(at, leaseTransitions, "must be greater than or equal to 0"));
  }
  if (preferredHolder && !strategy) {
    const why = "may only be specified if `strategy` is defined";
    errors.push(forbidden(path.child("preferredHolder"), why));
  }
  return errors;
}

export const leaseStrategy: ResourceStrategy = kind(
  { finalizers: "plain" },
  {
    validate: (object) => validateLease(object as Lease),
    validateUpdate: (object) => validateLease(object as Lease),
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    columns: columns("Name, Holder, Age"),
    row: (object, now) => [
      nameOf(object),
      (object as Lease).spec?.holderIdentity ?? "",
      age(object, now),
    ],
  },
);

const highestUserPriority = 1_000_000_000;

/** The two classes every cluster has. */
export const systemPriorityClasses: readonly PriorityClass[] = [
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-node-critical" },
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
    preemptionPolicy: "PreemptLowerPriority",
  },
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-cluster-critical" },
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another " +
      "node if necessary.",
    preemptionPolicy: "PreemptLowerPriority",
  },
];

function reservedNameProblem(priorityClass: PriorityClass): string | undefined {
  const { name = "" } = priorityClass.metadata ?? {};
  const known = systemPriorityClasses.find((one) => one.metadata?.name === name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (priorityClass.value !== known.value)
    return `value of ${name} PriorityClass must be ${known.value}`;
  if (priorityClass.globalDefault) return `globalDefault of ${name} PriorityClass must be false`;
  return undefined;
}

function validatePriorityClass(priorityClass: PriorityClass): FieldError[] {
  const { value = 0, preemptionPolicy, metadata } = priorityClass;
  const errors: FieldError[] = [];
  if (metadata?.name?.startsWith("system-")) {
    const problem = reservedNameProblem(priorityClass);
    if (problem !== undefined) {
      const why =
        "priority class names with 'system-' prefix are reserved for system use only. error: ";
      errors.push(forbidden(field("metadata", "name"), why + problem));
    }
  } else if (value > highestUserPriority) {
    const why = `maximum allowed value of a user defined priority is ${highestUserPriority}`;
    errors.push(forbidden(field("value"), why));
  }
  if (preemptionPolicy === "") errors.push(required(field("preemptionPolicy")));
  else if (preemptionPolicy !== undefined) {
    const policies = ["PreemptLowerPriority", "Never"];
    errors.push(...oneOf(field("preemptionPolicy"), preemptionPolicy, policies));
  }
  return errors;
}

export const priorityClassStrategy: ResourceStrategy = kind(
  { generation: [] },
  {
    default(object) {
      (object as PriorityClass).preemptionPolicy ??= "PreemptLowerPriority";
    },
    validate: (object) => validatePriorityClass(object as PriorityClass),
    validateUpdate(object, old) {
      const [now, before] = [object as PriorityClass, old as PriorityClass];
      const errors =
        now.value === before.value
          ? []
          : [forbidden(field("value"), "may not be changed in an update.")];
      const at = field("preemptionPolicy");
      return [...errors, ...validateImmutable(now.preemptionPolicy, before.preemptionPolicy, at)];
    },
    columns: columns("Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy"),
    row(object, now) {
      const { value, globalDefault, preemptionPolicy } = object as PriorityClass;
      return [
        nameOf(object),
        value ?? 0,
        globalDefault ?? false,
        age(object, now),
        preemptionPolicy ?? "",
      ];
    },
  },
);

function validateRuntimeClass(runtimeClass: RuntimeClass): FieldError[] {
  const { handler, overhead, scheduling } = runtimeClass;
  const errors = handler
    ? check(field("handler"), handler, dns1123Label)
    : [required(field("handler"))];
  if (overhead !== undefined) {
    const limits = overhead.podFixed === undefined ? {} : { limits: overhead.podFixed };
    errors.push(...validateRequirements(limits, field("overhead"), "container"));
  }
  return [
    ...errors,
    ...validateLabels(scheduling?.nodeSelector, field("scheduling", "nodeSelector")),
    ...validateTolerations(scheduling?.tolerations, field("scheduling", "tolerations")),
    ...repeatedTolerations(scheduling?.tolerations ?? []),
  ];
}

function repeatedTolerations(tolerations: readonly Toleration[]): FieldError[] {
  const path = field("scheduling", "tolerations");
  const seen = new Set<string>();
  return tolerations.flatMap((toleration, i) => {
    const { key, operator, value, effect } = toleration;
    const meaning = JSON.stringify([key, operator, value, effect]);
    const twice = seen.has(meaning) ? [duplicate(path.index(i), toleration)] : [];
    seen.add(meaning);
    return twice;
  });
}

export const runtimeClassStrategy: ResourceStrategy = kind(
  { finalizers: "plain", updateMeta: ["whole", "spec", "update"] },
  {
    validate: (object) => validateRuntimeClass(object as RuntimeClass),
    validateUpdate: (object, old) =>
      validateImmutable(object.handler, old.handler, field("handler")),
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    columns: columns("Name, Handler, Age"),
    row: (object, now) => [
      nameOf(object),
      (object as RuntimeClass).handler ?? "",
      age(object, now),
    ],
  },
);
