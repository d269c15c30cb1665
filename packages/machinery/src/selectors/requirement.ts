/**
 * One condition on a label.
 *
 * Source  k8s.io/apimachinery/pkg/labels/selector.go (Requirement)
 */
import { aggregateFieldErrors, FieldError, invalidValue, notSupported } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { isQualifiedName, isValidLabelValue } from "../validation/names.ts";

export type LabelOperator = "in" | "notin" | "=" | "==" | "!=" | "exists" | "!" | "gt" | "lt";
export type Labels = Readonly<Record<string, string>>;

/** Raised for a selector that cannot be; the message is upstream's. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SelectorError";
  }
}

const int64Text = /^[+-]?\d+$/;

export class Requirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];

  constructor(key: string, operator: LabelOperator, values: readonly string[]) {
    this.key = key;
    this.operator = operator;
    this.values = values;
  }

  matches(labels: Labels | undefined): boolean {
    const value =
      labels !== undefined && Object.hasOwn(labels, this.key) ? labels[this.key] : undefined;
    switch (this.operator) {
      case "in":
      case "=":
      case "==":
        return value !== undefined && this.values.includes(value);
      case "notin":
      case "!=":
        return value === undefined || !this.values.includes(value);
      case "exists":
        return value !== undefined;
      case "!":
        return value === undefined;
      default:
        return value !== undefined && this.#compare(value);
    }
  }

  #compare(value: string): boolean {
    const wanted = this.values[0];
    if (this.values.length !== 1 || wanted === undefined) return false;
    if (!int64Text.test(value) || !int64Text.test(wanted)) return false;
    const left = toBigInt(value);
    const right = toBigInt(wanted);
    return this.operator === "gt" ? left > right : left < right;
  }

  toString(): string {
    const values = [...this.values].sort().join(",");
    switch (this.operator) {
      case "exists":
        return this.key;
      case "!":
        return `!${this.key}`;
      case "in":
      case "notin":
        return `${this.key} ${this.operator} (${values})`;
      case "gt":
        return `${this.key}>${values}`;
      case "lt":
        return `${this.key}<${values}`;
      default:
        return `${this.key}${this.operator}${values}`;
    }
  }
}

function toBigInt(text: string): bigint {
  return BigInt(text.startsWith("+") ? text.slice(1) : text);
}

const at = FieldPath.root("values");

function countErrors(operator: LabelOperator, values: readonly string[]): FieldError[] {
  switch (operator) {
    case "in":
    case "notin":
      if (values.length > 0) return [];
      return [invalidValue(at, values, "for 'in', 'notin' operators, values set can't be empty")];
    case "=":
    case "==":
    case "!=":
      if (values.length === 1) return [];
      return [invalidValue(at, values, "exact-match compatibility requires one single value")];
    case "exists":
    case "!":
      if (values.length === 0) return [];
      return [invalidValue(at, values, "values set must be empty for exists and does not exist")];
    case "gt":
    case "lt":
      return integerErrors(values);
    default:
      return [
        notSupported("operator", operator, [
          "in",
          "notin",
          "=",
          "==",
          "!=",
          "gt",
          "lt",
          "exists",
          "!",
        ]),
      ];
  }
}

function integerErrors(values: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (values.length !== 1) {
    errors.push(
      invalidValue(at, values, "for 'Gt', 'Lt' operators, exactly one value is required"),
    );
  }
  values.forEach((value, i) => {
    if (!int64Text.test(value)) {
      const detail = "for 'Gt', 'Lt' operators, the value must be an integer";
      errors.push(invalidValue(at.index(i), value, detail));
    }
  });
  return errors;
}

/** A checked requirement. @throws SelectorError with every complaint */
export function createRequirement(
  key: string,
  operator: LabelOperator,
  values: readonly string[],
): Requirement {
  const errors: FieldError[] = [];
  const keyComplaints = isQualifiedName(key);
  if (keyComplaints.length > 0) errors.push(invalidValue("key", key, keyComplaints.join("; ")));
  errors.push(...countErrors(operator, values));
  values.forEach((value, i) => {
    const complaints = isValidLabelValue(value);
    if (complaints.length > 0) {
      errors.push(invalidValue(at.index(i).key(key), value, complaints.join("; ")));
    }
  });
  if (errors.length > 0) throw new SelectorError(aggregateFieldErrors(errors));
  return new Requirement(key, operator, values);
}

/** Without a path upstream prints Go's nil. */
export function checkKey(key: string): void {
  const complaints = isQualifiedName(key);
  if (complaints.length === 0) return;
  const error = new FieldError("FieldValueInvalid", "<nil>", key, complaints.join("; "));
  throw new SelectorError(error.toString());
}
