/**
 * What a list, a watch or a deletion of many is narrowed to, as authorizers are told: requirements
 * that all hold. One that an authorizer cannot be told is left out: it is then asked for more.
 *
 * Errors  what cannot be read is left out too; where somebody asks on purpose they are told so
 * Source  apiserver plugin/pkg/authorizer/webhook/webhook.go, pkg/endpoints/filters/
 *         authorization.go; pkg/registry/authorization/util/helpers.go
 */
import { parseFieldSelector, parseLabelSelector } from "@nanokube/machinery";

export interface SelectorRequirement {
  key?: string;
  operator?: string;
  values?: string[];
}

export interface Narrowed {
  fields?: SelectorRequirement[];
  labels?: SelectorRequirement[];
}

/** As a review says it: a text, or requirements. */
export interface SelectorAttributes {
  rawSelector?: string;
  requirements?: SelectorRequirement[];
}

const labelOperators: Readonly<Record<string, string>> = {
  "=": "In",
  "==": "In",
  in: "In",
  "!=": "NotIn",
  notin: "NotIn",
  exists: "Exists",
  "!": "DoesNotExist",
};

/** @throws SelectorError */
export function fieldRequirements(text: string): SelectorRequirement[] {
  return parseFieldSelector(text).requirements.map(({ field, operator, value }) => ({
    key: field,
    operator: operator === "!=" ? "NotIn" : "In",
    values: [value],
  }));
}

/** @throws SelectorError */
export function labelRequirements(text: string): SelectorRequirement[] {
  return parseLabelSelector(text).requirements.flatMap(({ key, operator, values }) => {
    const known = labelOperators[operator];
    if (known === undefined) return [];
    return [{ key, operator: known, ...(values.length > 0 ? { values: [...values] } : {}) }];
  });
}

const nothingWhenUnreadable = (read: () => SelectorRequirement[]): SelectorRequirement[] => {
  try {
    return read();
  } catch {
    return [];
  }
};

export function narrowedBy(fieldSelector: string, labelSelector: string): Narrowed {
  return narrowedTo(
    nothingWhenUnreadable(() => fieldRequirements(fieldSelector)),
    nothingWhenUnreadable(() => labelRequirements(labelSelector)),
  );
}

function narrowedTo(fields: SelectorRequirement[], labels: SelectorRequirement[]): Narrowed {
  return {
    ...(fields.length > 0 ? { fields } : {}),
    ...(labels.length > 0 ? { labels } : {}),
  };
}

/** What of a review's selectors can be asked; `ignored` says which could not, or not whole. */
export function narrowedByReview(
  field: SelectorAttributes | undefined,
  label: SelectorAttributes | undefined,
): { narrowed: Narrowed; ignored: string[] } {
  const ignored: string[] = [];
  const read = (
    name: string,
    selector: SelectorAttributes | undefined,
    parse: (text: string) => SelectorRequirement[],
    isKnown: (requirement: SelectorRequirement) => boolean,
  ): SelectorRequirement[] => {
    const { rawSelector = "", requirements = [] } = selector ?? {};
    let kept: SelectorRequirement[] = [];
    let isWhole = true;
    if (requirements.length > 0) {
      kept = requirements.filter(isKnown);
      isWhole = kept.length === requirements.length;
    } else if (rawSelector !== "") {
      try {
        kept = parse(rawSelector);
      } catch {
        isWhole = false;
      }
    }
    const how = kept.length > 0 ? "partially ignored" : "ignored";
    if (!isWhole) ignored.push(`spec.resourceAttributes.${name} ${how} due to parse error`);
    return kept;
  };
  const fields = read("fieldSelector", field, fieldRequirements, isFieldRequirement);
  const labels = read("labelSelector", label, labelRequirements, isLabelRequirement);
  return { narrowed: narrowedTo(fields, labels), ignored };
}

const isFieldRequirement = ({ operator = "", values = [] }: SelectorRequirement): boolean =>
  ["In", "NotIn"].includes(operator) && values.length === 1;

const isLabelRequirement = ({ operator = "" }: SelectorRequirement): boolean =>
  ["In", "NotIn", "Exists", "DoesNotExist"].includes(operator);

/** As a review tells them to another authorizer. */
export function selectorsOf({ fields, labels }: Narrowed): object {
  return {
    ...(fields === undefined ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels === undefined ? {} : { labelSelector: { requirements: labels } }),
  };
}

/** Equalities alone narrow in a way that Node can use. */
export function exactFields({ fields = [] }: Narrowed): Record<string, string> | undefined {
  const exact = fields.filter(({ operator }) => operator === "In");
  if (exact.length === 0) return undefined;
  return Object.fromEntries(exact.map(({ key = "", values = [] }) => [key, values[0] ?? ""]));
}
