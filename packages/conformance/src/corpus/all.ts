/**
 * The corpus: for each built-in kind its life, what can be wrong when it is made, and what may not
 * change; then the topics written by hand.
 */
import { type ResourceInfo, resources } from "@nanokube/api";
import { applyGroups } from "./apply/sequences.ts";
import type { CorpusCase, CorpusGroup, Tree } from "./corpus-case.ts";
import { merged } from "./corpus-case.ts";
import { bodyCases } from "./kinds/bodies.ts";
import { groupOfEach } from "./kinds/each.ts";
import { optionCases } from "./kinds/options.ts";
import { shapeCases } from "./kinds/shapes.ts";
import { versionCases } from "./kinds/versions.ts";
import { homeOf } from "./life/home.ts";
import { kindOf } from "./life/kind.ts";
import { lifeOf } from "./life.ts";
import { chosen, Mutations } from "./mutations.ts";
import { hasObject, keyOf } from "./objects/of-kind.ts";
import { formCases } from "./reads/forms.ts";
import { historyCases } from "./reads/history.ts";
import { listCases } from "./reads/lists.ts";
import { pathCases } from "./reads/paths.ts";
import { watchCases } from "./reads/watches.ts";
import { wireCases } from "./reads/wire.ts";

/** [of the kind's own fields, of its pod template's] */
const counts: Readonly<Record<string, { create: number; update: number }>> = {
  "v1/pods": { create: 600, update: 60 },
};
const usual = { create: 70, update: 24 };
const templateCount = 12;

function mutated(resource: ResourceInfo, namespace: string): CorpusCase[] {
  const kind = kindOf(resource, namespace);
  const { create, update } = counts[keyOf(resource)] ?? usual;
  const { found } = new Mutations(resource.type, kind.object);
  const rename = (object: Tree): Tree =>
    resource.namespaced ? (merged(object, { metadata: { name: "m" } }) as Tree) : object;
  const isFree = resource.namespaced;
  const post = chosen(found, create, templateCount).map(
    ({ name, object, path }): CorpusCase => ({
      name: `invalid: ${name}`,
      method: "POST",
      path: `${kind.all}?dryRun=All${path.endsWith("bogus") ? "&fieldValidation=Strict" : ""}`,
      body: rename(object),
    }),
  );
  const put = chosen(
    found.filter(({ path }) => !path.endsWith("bogus")).reverse(),
    update,
    templateCount / 2,
  ).map(
    ({ name, object }): CorpusCase => ({
      name: `changed: ${name}`,
      method: "PUT",
      path: `${kind.one}?dryRun=All`,
      body: merged(object, { metadata: { resourceVersion: "$rv()" } }),
    }),
  );
  return isFree ? [...post, ...put] : [...put, ...post];
}

function groupOf(resource: ResourceInfo): CorpusGroup {
  const name = keyOf(resource);
  const namespace = `c-${resource.plural}-${resource.version}`;
  const { before, after } = lifeOf(kindOf(resource, namespace));
  const cases = [
    ...homeOf(resource, namespace),
    ...before,
    ...mutated(resource, namespace),
    ...after,
  ];
  return { name, cases, ...(resource.ga ? {} : { beta: true }) };
}

export function corpus(): CorpusGroup[] {
  const kinds = resources.filter((each) => each.verbs.includes("delete") && hasObject(each));
  const stable = kinds.filter(({ ga }) => ga);
  return [
    ...kinds.map(groupOf),
    ...applyGroups(),
    { name: "reads/lists", cases: listCases },
    { name: "reads/watches", cases: watchCases },
    { name: "reads/history", cases: historyCases },
    { name: "reads/wire", cases: wireCases },
    { name: "reads/forms", cases: formCases },
    { name: "reads/paths", cases: pathCases },
    groupOfEach("bodies", stable, bodyCases),
    groupOfEach("options", stable, optionCases),
    groupOfEach("shapes", stable, shapeCases),
    { name: "beta/versions", cases: versionCases(kinds), beta: true },
  ];
}
