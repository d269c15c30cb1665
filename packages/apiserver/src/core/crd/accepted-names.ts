/**
 * Which names of a definition are its own, and what its conditions say of that.
 *
 * A name belongs to the first definition of a group that was granted it; who comes later has it
 * when it is given up.
 *
 * Source  apiextensions-apiserver pkg/controller/{status/naming_controller,establish,
 *         apiapproval}
 */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from "@nanokube/api/apiextensions/v1";
import { aggregateTexts, type Clock, deepEqual, quoteGo } from "@nanokube/machinery";
import { formatTime } from "../rest/object-meta.ts";

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

/** @returns whether it is news */
export function setCondition(
  crd: CustomResourceDefinition,
  clock: Clock,
  condition: Condition,
): boolean {
  crd.status ??= {};
  const conditions = crd.status.conditions ?? [];
  const known = conditions.find((one) => one.type === condition.type);
  if (known !== undefined && deepEqual({ ...known, ...condition }, known)) return false;
  const lastTransitionTime =
    known?.status === condition.status ? known.lastTransitionTime : formatTime(clock.now());
  const news = { ...condition, lastTransitionTime };
  crd.status.conditions =
    known === undefined
      ? [...conditions, news]
      : conditions.map((one) => (one === known ? news : one));
  return true;
}

export function conditionIs(crd: CustomResourceDefinition, type: string, status: string): boolean {
  return (crd.status?.conditions ?? []).some((one) => one.type === type && one.status === status);
}

interface Taken {
  resources: Set<string>;
  kinds: Set<string>;
}

function takenBy(definitions: readonly CustomResourceDefinition[], group: string): Taken {
  const taken: Taken = { resources: new Set(), kinds: new Set() };
  for (const { spec, status } of definitions) {
    if (spec?.group !== group) continue;
    const { plural, singular, shortNames = [], kind, listKind } = status?.acceptedNames ?? {};
    for (const name of [plural, singular, ...shortNames]) if (name) taken.resources.add(name);
    for (const name of [kind, listKind]) if (name) taken.kinds.add(name);
  }
  return taken;
}

/** The names that it has now, and why not those that it wants. */
function grant(
  wanted: CustomResourceDefinitionNames,
  has: CustomResourceDefinitionNames,
  { resources, kinds }: Taken,
): { names: CustomResourceDefinitionNames; conflict: Condition | undefined } {
  const names: CustomResourceDefinitionNames = { ...has };
  let conflict: Condition | undefined;
  const complain = (reason: string, message: string) => {
    conflict = { type: "NamesAccepted", status: "False", reason, message };
  };
  const isFree = (name: string, own: string, used: Set<string>) => name === own || !used.has(name);
  const inUse = (name: string) => `${quoteGo(name)} is already in use`;
  const one = (field: "plural" | "singular" | "kind" | "listKind", used: Set<string>) => {
    const name = wanted[field] ?? "";
    if (isFree(name, has[field] ?? "", used)) {
      if (wanted[field] !== undefined) names[field] = name;
      return;
    }
    complain(`${field[0]!.toUpperCase()}${field.slice(1)}Conflict`, inUse(name));
  };
  one("plural", resources);
  one("singular", resources);
  const short = wanted.shortNames ?? [];
  const lost = short.filter(
    (name) => !(has.shortNames ?? []).includes(name) && resources.has(name),
  );
  if (lost.length > 0) complain("ShortNamesConflict", aggregateTexts(lost.map(inUse)));
  else if (short.length > 0) names.shortNames = short;
  else delete names.shortNames;
  one("kind", kinds);
  one("listKind", kinds);
  if (wanted.categories === undefined) delete names.categories;
  else names.categories = wanted.categories;
  return { names, conflict };
}

/** Gives it the names it may have and says so; true when the definition changed. */
export function acceptNames(
  crd: CustomResourceDefinition,
  all: readonly CustomResourceDefinition[],
  clock: Clock,
): boolean {
  crd.status ??= {};
  const has = crd.status.acceptedNames ?? ({} as CustomResourceDefinitionNames);
  // It has what it wants: what its conditions say of that is left as it is.
  if (deepEqual(crd.spec?.names, has) && conditionIs(crd, "Established", "True")) return false;
  const taken = takenBy(all, crd.spec?.group ?? "");
  const { names, conflict } = grant(crd.spec?.names ?? has, has, taken);
  let changed = !deepEqual(names, has);
  if (changed)
    crd.status.acceptedNames = { ...names, plural: names.plural ?? "", kind: names.kind ?? "" };
  const accepted: Condition = conflict ?? {
    type: "NamesAccepted",
    status: "True",
    reason: "NoConflicts",
    message: "no conflicts found",
  };
  changed = setCondition(crd, clock, accepted) || changed;
  if (conditionIs(crd, "Established", "True")) return changed;
  const established: Condition =
    conflict === undefined
      ? {
          type: "Established",
          status: "True",
          reason: "InitialNamesAccepted",
          message: "the initial names have been accepted",
        }
      : {
          type: "Established",
          status: "False",
          reason: "NotAccepted",
          message: "not all names are accepted",
        };
  return setCondition(crd, clock, established) || changed;
}
