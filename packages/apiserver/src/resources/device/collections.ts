/**
 * Lists and maps with a limit, as the resource group checks them: beyond it nothing else is said.
 *
 * Source  pkg/apis/resource/validation/validation.go validateSlice, validateSet, validateMap
 */
import { duplicate, type FieldError, type FieldPath, tooMany } from "../field.ts";

type Check<T> = (item: T, path: FieldPath) => FieldError[];

/** A negative `max` is no limit. */
export function validateList<T>(
  list: readonly T[] | undefined,
  max: number,
  path: FieldPath,
  validate: Check<T>,
): FieldError[] {
  const items = list ?? [];
  if (max >= 0 && items.length > max) return [tooMany(path, items.length, max)];
  return items.flatMap((item, i) => validate(item, path.index(i)));
}

export interface SetRules<T> {
  max: number;
  path: FieldPath;
  /** Two items with the same key are one too many. */
  keyOf(item: T): string;
  /** What is shown of a duplicate; its key when absent. */
  shown?(item: T): unknown;
  validate: Check<T>;
}

export function validateSet<T>(list: readonly T[] | undefined, rules: SetRules<T>): FieldError[] {
  const items = list ?? [];
  const { max, path, keyOf } = rules;
  const errors = validateList(items, max, path, rules.validate);
  if (max >= 0 && items.length > max) return errors;
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const key = keyOf(item);
    if (seen.has(key)) errors.push(duplicate(path.index(i), rules.shown?.(item) ?? key));
    seen.add(key);
  }
  return errors;
}

export interface MapRules<T> {
  max: number;
  path: FieldPath;
  /** Longer keys are shown without their middle. */
  keyMax: number;
  validateKey: Check<string>;
  validate: Check<T>;
}

export function validateMap<T>(
  map: Readonly<Record<string, T>> | undefined,
  { max, path, keyMax, validateKey, validate }: MapRules<T>,
): FieldError[] {
  const entries = Object.entries(map ?? {});
  if (max >= 0 && entries.length > max) return [tooMany(path, entries.length, max)];
  return entries.flatMap(([key, item]) => [
    ...validateKey(key, path),
    ...validate(item, path.key(shortened(key, keyMax))),
  ]);
}

function shortened(text: string, max: number): string {
  if (text.length <= max) return text;
  const rest = max - "...".length;
  return `${text.slice(0, Math.ceil(rest / 2))}...${text.slice(-Math.floor(rest / 2))}`;
}
