/**
 * Field selectors: `metadata.name=web,status.phase!=Running`.
 *
 * Shapes  matches(fields)  over a flat set of the kind's selectable fields; an absent one is ""
 *         transform(fn)    renames or refuses fields (each kind knows which it has); see
 *                          `checkFields`
 * Errors  SelectorError with upstream's texts
 * Source  k8s.io/apimachinery/pkg/fields/selector.go
 */
import { SelectorError } from "./requirement.ts";

export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

export interface FieldSelector {
  matches(fields: Readonly<Record<string, string>>): boolean;
  empty(): boolean;
  toString(): string;
  readonly requirements: readonly FieldRequirement[];
  requiresExactMatch(field: string): string | undefined;
  /** A new selector with each requirement as `fn` gives it back; undefined drops it. */
  transform(fn: (requirement: FieldRequirement) => FieldRequirement | undefined): FieldSelector;
}

class Conjunction implements FieldSelector {
  readonly requirements: readonly FieldRequirement[];

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
  }

  matches(fields: Readonly<Record<string, string>>): boolean {
    return this.requirements.every(({ field, operator, value }) => {
      const actual = Object.hasOwn(fields, field) ? fields[field] : "";
      return (actual === value) === (operator === "=");
    });
  }

  empty(): boolean {
    return this.requirements.length === 0;
  }

  toString(): string {
    return this.requirements
      .map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`)
      .join(",");
  }

  requiresExactMatch(field: string): string | undefined {
    return this.requirements.find((r) => r.operator === "=" && r.field === field)?.value;
  }

  transform(fn: (requirement: FieldRequirement) => FieldRequirement | undefined): FieldSelector {
    return new Conjunction(this.requirements.map(fn).filter((r) => r !== undefined));
  }
}

export const everyField: FieldSelector = new Conjunction([]);

export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, (char) => `\\${char}`);
}

function unescapeFieldValue(text: string): string {
  let value = "";
  let escaped = false;
  for (const char of text) {
    if (escaped) {
      if (!"\\,=".includes(char)) {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${char}`);
      }
      value += char;
      escaped = false;
    } else if (char === "\\") {
      escaped = true;
    } else if (char === "," || char === "=") {
      // Upstream prints the character's number.
      const code = char.codePointAt(0);
      throw new SelectorError(`invalid field selector: unescaped character in value: ${code}`);
    } else {
      value += char;
    }
  }
  if (escaped) throw new SelectorError("invalid field selector: invalid escape sequence: \\");
  return value;
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  let escaped = false;
  for (let i = 0; i < text.length; i++) {
    if (escaped) escaped = false;
    else if (text[i] === "\\") escaped = true;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/** @throws SelectorError */
export function parseFieldSelector(text: string): FieldSelector {
  if (text === "") return everyField;
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === "") continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) {
      throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    const operator = match[2] === "!=" ? "!=" : "=";
    const value = unescapeFieldValue(match[3]!);
    // Upstream drops a term that says nothing on both sides.
    if (match[1] === "" && value === "") continue;
    requirements.push({ field: match[1]!, operator, value });
  }
  return new Conjunction(requirements);
}

export function fieldSelectorFromSet(fields: Readonly<Record<string, string>>): FieldSelector {
  return new Conjunction(
    Object.entries(fields).map(([field, value]) => ({ field, operator: "=", value })),
  );
}

/** Refuses fields a kind cannot be selected by. @throws SelectorError */
export function checkFields(selector: FieldSelector, selectable: ReadonlySet<string>): void {
  for (const { field } of selector.requirements) {
    if (!selectable.has(field)) throw new SelectorError(`field label not supported: ${field}`);
  }
}
