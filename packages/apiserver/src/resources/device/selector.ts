/**
 * CEL expressions that choose devices: `device.driver == "gpu.example.com"`.
 *
 * Units   cost in CEL's own, at most a million for one evaluation
 * Source  k8s.io/dynamic-resource-allocation/cel/compile.go,
 *         pkg/apis/resource/validation/validation.go validateSelector
 */
import type { DeviceSelector } from "@nanokube/api/resource/v1";
import {
  boolType,
  type CelType,
  compileExpression,
  environmentOf,
  mapOf,
  type SizedType,
  sizeAlong,
  stringType,
  struct,
  typeText,
} from "@nanokube/machinery/cel";
import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  required,
  tooLong,
} from "../field.ts";
import { byteLength } from "../names.ts";
import { validateList } from "./collections.ts";

const selectorsMax = 32;
const expressionMaxBytes = 10 * 1024;
const expressionMaxCost = 1_000_000;

/** An attribute: of a type that only the device knows. */
const anyType: CelType = { kind: "any", name: "google.protobuf.Any", params: [] };
const quantityType = struct("kubernetes.Quantity");

const sized = (type: CelType, maxElements: number, more: Partial<SizedType> = {}): SizedType => ({
  type,
  maxElements,
  minSerializedSize: 0,
  ...more,
});

/** Domain → id → value, each level at most 32 entries. */
function byDomain(value: SizedType): SizedType {
  const inner = sized(mapOf(stringType, value.type), 32, {
    key: sized(stringType, 32),
    element: value,
  });
  return sized(mapOf(stringType, inner.type), 32, { key: sized(stringType, 63), element: inner });
}

const deviceFields = new Map<string, SizedType>([
  ["driver", sized(stringType, 63)],
  ["allowMultipleAllocations", sized(boolType, 1)],
  ["attributes", byDomain(sized(anyType, 64))],
  ["capacity", byDomain(sized(quantityType, 8))],
]);

const device: SizedType = sized(
  struct(
    "kubernetes.DRADevice",
    new Map([...deviceFields].map(([name, { type }]) => [name, type])),
  ),
  0,
  { fields: deviceFields },
);

const environment = environmentOf({ variables: [["device", device.type]] });

function validateExpression(expression: string, path: FieldPath): FieldError[] {
  if (byteLength(expression) > expressionMaxBytes) return [tooLong(path, "", expressionMaxBytes)];
  const compiled = compileExpression(expression, environment);
  if ("errors" in compiled) {
    return [invalid(path, expression, `compilation failed: ${compiled.errors}`)];
  }
  const type = "program" in compiled ? compiled.program.type : compiled.type;
  if (type.kind !== "bool" && type.kind !== "any") {
    const why = `must evaluate to bool or the unknown type, not ${typeText(type)}`;
    return [invalid(path, expression, why)];
  }
  if ("failure" in compiled) {
    return [invalid(path, expression, `program instantiation failed: ${compiled.failure}`)];
  }
  const { max } = compiled.program.estimateCost((steps) => sizeAlong(device, steps));
  if (max <= expressionMaxCost) return [];
  return [forbidden(path, "too complex, exceeds cost limit")];
}

export function validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: FieldPath,
): FieldError[] {
  return validateList(selectors, selectorsMax, path, ({ cel }, at) =>
    cel === undefined
      ? [required(at.child("cel"))]
      : validateExpression(cel.expression ?? "", at.child("cel", "expression")),
  );
}
