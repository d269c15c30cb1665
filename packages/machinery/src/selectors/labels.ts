/**
 * Label selectors: which objects are meant, by their labels.
 *
 * Shapes  parseLabelSelector("app in (a,b),!old")     from a request or a flag
 *         labelSelectorToSelector({ matchLabels, … })  from an object; absent selects nothing,
 *                                                      empty everything
 *         matches, toString                            requirements stand sorted by key
 * Errors  SelectorError with upstream's texts
 * Source  k8s.io/apimachinery/pkg/labels/selector.go, pkg/apis/meta/v1/helpers.go
 */
import { quoteGo } from "../go-text.ts";
import { parseRequirements } from "./label-parser.ts";
import {
  createRequirement,
  type LabelOperator,
  type Labels,
  Requirement,
  SelectorError,
} from "./requirement.ts";

export interface Selector {
  matches(labels: Labels | undefined): boolean;
  /** True when it selects everything. */
  empty(): boolean;
  toString(): string;
  readonly requirements: readonly Requirement[];
  /** The value a label must have for anything to match, when there is exactly one. */
  requiresExactMatch(key: string): string | undefined;
}

class Conjunction implements Selector {
  readonly requirements: readonly Requirement[];

  constructor(requirements: readonly Requirement[]) {
    this.requirements = [...requirements].sort((a, b) =>
      a.key < b.key ? -1 : a.key > b.key ? 1 : 0,
    );
  }

  matches(labels: Labels | undefined): boolean {
    for (const requirement of this.requirements) if (!requirement.matches(labels)) return false;
    return true;
  }

  empty(): boolean {
    return this.requirements.length === 0;
  }

  toString(): string {
    return this.requirements.join(",");
  }

  requiresExactMatch(key: string): string | undefined {
    const found = this.requirements.find((requirement) => requirement.key === key);
    if (found === undefined || found.values.length !== 1) return undefined;
    const exact = found.operator === "=" || found.operator === "==" || found.operator === "in";
    return exact ? found.values[0] : undefined;
  }
}

export const everything: Selector = new Conjunction([]);

export const nothing: Selector = {
  matches: () => false,
  empty: () => false,
  toString: () => "",
  requirements: [],
  requiresExactMatch: () => undefined,
};

/** @throws SelectorError */
export function parseLabelSelector(text: string): Selector {
  return text === "" ? everything : new Conjunction(parseRequirements(text));
}

export interface LabelSelectorShape {
  matchLabels?: Record<string, string> | undefined;
  matchExpressions?:
    | { key?: string; operator?: string; values?: string[] | undefined }[]
    | undefined;
}

const operators: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** @throws SelectorError */
export function labelSelectorToSelector(selector: LabelSelectorShape | null | undefined): Selector {
  if (selector === undefined || selector === null) return nothing;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(createRequirement(key, "=", [value]));
  }
  for (const { key = "", operator = "", values = [] } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
    if (known === undefined) {
      throw new SelectorError(`${quoteGo(operator)} is not a valid label selector operator`);
    }
    requirements.push(createRequirement(key, known, values));
  }
  return requirements.length === 0 ? everything : new Conjunction(requirements);
}

/** Equality with every label of the set; unchecked, for sets that are valid already. */
export function selectorFromSet(labels: Labels | undefined): Selector {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return everything;
  return new Conjunction(entries.map(([key, value]) => new Requirement(key, "=", [value])));
}

/** How a LabelSelector prints in errors and tables. Source: FormatLabelSelector */
export function formatLabelSelector(selector: LabelSelectorShape | null | undefined): string {
  try {
    const text = labelSelectorToSelector(selector).toString();
    return text === "" ? "<none>" : text;
  } catch {
    return "<error>";
  }
}
