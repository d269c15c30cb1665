/**
 * What is wrong with one field, in upstream's words.
 *
 * Shapes  type      upstream's cause type, also what `status.details.causes[].reason` says
 *         badValue  printed as Go prints it: strings quoted, numbers and booleans bare, the rest
 *                   as JSON
 *         toString  `spec.replicas: Invalid value: -1: must be greater than or equal to 0`
 * Source  k8s.io/apimachinery/pkg/util/validation/field/errors.go
 */
import type { FieldPath } from "./field-path.ts";
import { marshalGo, quoteGo } from "./go-text.ts";

const texts = {
  FieldValueNotFound: "Not found",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  FieldValueTooFew: "Too few",
  InternalError: "Internal error",
  FieldValueTypeInvalid: "Invalid value",
  FieldValueTooShort: "Too short",
} as const;

export type FieldErrorType = keyof typeof texts;

/** Types whose text never shows the value. */
const silent: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>([
  "FieldValueRequired",
  "FieldValueForbidden",
  "FieldValueTooLong",
  "FieldValueTooShort",
  "InternalError",
]);

/** Stands for a bad value that must not be shown. */
export const omittedValue: unique symbol = Symbol("omitted");

/** A bad value that is printed already. */
export class GoText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly badValue: unknown;
  readonly detail: string;

  constructor(type: FieldErrorType, field: FieldPath | string, badValue: unknown, detail = "") {
    this.type = type;
    this.field = field.toString();
    this.badValue = badValue;
    this.detail = detail;
  }

  withValue(badValue: unknown): FieldError {
    return new FieldError(this.type, this.field, badValue, this.detail);
  }

  /** The text without the field: `Invalid value: "x": why`. */
  message(): string {
    let text: string = texts[this.type];
    if (!silent.has(this.type) && this.badValue !== omittedValue) {
      text += `: ${printValue(this.badValue)}`;
    }
    return this.detail === "" ? text : `${text}: ${this.detail}`;
  }

  toString(): string {
    return `${this.field}: ${this.message()}`;
  }
}

function printValue(value: unknown): string {
  if (typeof value === "string") return quoteGo(value);
  if (value instanceof GoText) return value.text;
  return marshalGo(value);
}

type At = FieldPath | string;

export function required(at: At, detail = ""): FieldError {
  return new FieldError("FieldValueRequired", at, "", detail);
}

export function invalidValue(at: At, value: unknown, detail: string): FieldError {
  return new FieldError("FieldValueInvalid", at, value, detail);
}

export function typeInvalid(at: At, value: unknown, detail: string): FieldError {
  return new FieldError("FieldValueTypeInvalid", at, value, detail);
}

export function duplicate(at: At, value: unknown): FieldError {
  return new FieldError("FieldValueDuplicate", at, value);
}

/** A reference to something that is not there (field error; `notFound` is the Status). */
export function valueNotFound(at: At, value: unknown): FieldError {
  return new FieldError("FieldValueNotFound", at, value);
}

/** `validValues` are listed in the order given; upstream's callers mostly sort them. */
export function notSupported(at: At, value: unknown, validValues: readonly string[]): FieldError {
  const detail =
    validValues.length === 0 ? "" : `supported values: ${validValues.map(quoteGo).join(", ")}`;
  return new FieldError("FieldValueNotSupported", at, value, detail);
}

/** A value that is well formed but not allowed here (field error; `forbidden` is the Status). */
export function forbiddenField(at: At, detail: string): FieldError {
  return new FieldError("FieldValueForbidden", at, "", detail);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** Length in bytes; a negative limit says only that it is too long. */
export function tooLong(at: At, _value: unknown, maxLength: number): FieldError {
  const detail =
    maxLength >= 0 ? `may not be more than ${count(maxLength, "byte")}` : "value is too long";
  return new FieldError("FieldValueTooLong", at, "<value omitted>", detail);
}

/** Length in characters. */
export function tooLongCharacters(at: At, _value: unknown, maxLength: number): FieldError {
  const detail =
    maxLength >= 0 ? `may not be more than ${count(maxLength, "character")}` : "value is too long";
  return new FieldError("FieldValueTooLong", at, "<value omitted>", detail);
}

export function tooShort(at: At, value: unknown, minLength: number): FieldError {
  const detail =
    minLength >= 0 ? `must be at least ${count(minLength, "character")}` : "value is too short";
  return new FieldError("FieldValueTooShort", at, value, detail);
}

/** A negative actual number is not shown. */
export function tooMany(at: At, actual: number, max: number): FieldError {
  const detail = max >= 0 ? `must have at most ${count(max, "item")}` : "has too many items";
  return new FieldError("FieldValueTooMany", at, actual >= 0 ? actual : omittedValue, detail);
}

export function tooFew(at: At, actual: number, min: number): FieldError {
  const detail = min >= 0 ? `must have at least ${count(min, "item")}` : "has too few items";
  return new FieldError("FieldValueTooFew", at, actual, detail);
}

export function internalFieldError(at: At, error: Error): FieldError {
  return new FieldError("InternalError", at, error, error.message);
}

/** Several errors as one text: a single one bare, more in brackets, repetitions once. */
export function aggregateFieldErrors(errors: readonly FieldError[]): string {
  return aggregateTexts(errors.map(String));
}

/** The same for ready texts. Source: apimachinery/pkg/util/errors (aggregate). */
export function aggregateTexts(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(", ")}]`;
}
