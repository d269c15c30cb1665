/**
 * FlowSchema: which requests wait together when the server is busy.
 *
 * Source  pkg/registry/flowcontrol/flowschema/strategy.go,
 *         pkg/apis/flowcontrol/validation/validation.go ValidateFlowSchema
 */
import type { FlowSchema } from "@nanokube/api/flowcontrol/v1";
import { bootstrapSchemas } from "../../core/flow-control/bootstrap.ts";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  notSupported,
  required,
} from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { dns1123Subdomain } from "../names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateFlowConditions } from "./conditions.ts";
import { validatePolicyRules } from "./policy-rules.ts";

const precedenceMax = 10_000;

/** Those that nobody may change. */
const mandatory: ReadonlyMap<string, unknown> = new Map(
  bootstrapSchemas()
    .filter(({ metadata }) => ["exempt", "catch-all"].includes(metadata?.name ?? ""))
    .map(({ metadata, spec }) => [metadata!.name!, spec]),
);

function validatePrecedence(precedence: number, name: string, path: FieldPath): FieldError[] {
  const problems: string[] = [];
  if (precedence <= 0) problems.push("must be a positive value");
  if (precedence > precedenceMax) problems.push(`must not be greater than ${precedenceMax}`);
  if (precedence === 1 && name !== "exempt") {
    problems.push("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  return problems.map((why) => invalid(path, precedence, why));
}

function validateSchema({ metadata, spec = {}, status }: FlowSchema): FieldError[] {
  const path = field("spec");
  const name = metadata?.name ?? "";
  const at = path.child("matchingPrecedence");
  const errors = validatePrecedence(spec.matchingPrecedence ?? 0, name, at);
  const method = spec.distinguisherMethod;
  const methods = ["ByNamespace", "ByUser"];
  if (method !== undefined && !methods.includes(method.type ?? "")) {
    const shown = { Type: method.type ?? "" };
    errors.push(notSupported(path.child("distinguisherMethod", "type"), shown, methods));
  }
  const level = spec.priorityLevelConfiguration?.name ?? "";
  const levelAt = path.child("priorityLevelConfiguration", "name");
  if (level === "") errors.push(required(levelAt, "must reference a priority level"));
  else errors.push(...check(levelAt, level, dns1123Subdomain));
  const rulesAt = path.child("rules");
  errors.push(
    ...(spec.rules ?? []).flatMap((rule, i) => validatePolicyRules(rule, rulesAt.index(i))),
  );
  if (mandatory.has(name) && !semanticEqual(spec, mandatory.get(name))) {
    errors.push(invalid(path, spec, `spec of '${name}' must equal the fixed value`));
  }
  return [...errors, ...validateFlowConditions(status?.conditions)];
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
      subresource === "status"
        ? validateFlowConditions((object as FlowSchema).status?.conditions)
        : validateSchema(object as FlowSchema),
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
