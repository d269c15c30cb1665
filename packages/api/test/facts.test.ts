/**
 * The generated table against a table of the same facts that was made independently of it and
 * checked byte for byte against upstream's protobuf fixtures (../shared/facts beside the checkout).
 *
 * Every difference is zero, or stands in `explained` with its reason; an explanation that no
 * longer explains anything fails too.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type Field,
  resourceOf,
  resources,
  type TypeInfo,
  typeInfo,
  typeNames,
} from "../src/index.ts";

const folder = join(import.meta.dirname, "../../../../shared/facts");
const present = existsSync(join(folder, "types.json"));
const reason = present ? "" : " (skipped: no ../shared/facts beside this checkout)";

interface FactField {
  type: string;
  num?: number;
  opt?: boolean;
  omit?: boolean | "zero";
  enum?: string;
  [attribute: string]: unknown;
}
interface FactType {
  fields?: Record<string, FactField>;
  special?: string;
  alias?: string;
  union?: boolean;
  [attribute: string]: unknown;
}
interface Facts {
  enums: Record<string, string[]>;
  types: Record<string, FactType>;
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const runtime = "io.k8s.apimachinery.pkg.runtime";
const explained: Record<string, string> = {
  [`${meta}.Patch missing`]: "the body of a PATCH, never an object",
  [`${meta}.TypeMeta missing`]: "stands as `typeMeta` and two fields in every kind",
  [`${runtime}.TypeMeta missing`]: "part of the protobuf envelope, which machinery knows",
  [`${runtime}.Unknown missing`]: "the protobuf envelope, which machinery knows",
  [`${meta}.TableOptions fields`]: "NoHeaders is Go's own: neither in JSON nor in protobuf",
  "io.k8s.api.core.v1.List typeMeta": "the facts hold an alias; its message has two fields",
  "io.k8s.api.core.v1.List alias": "the same",
  "io.k8s.api.core.v1.List fields": "the same",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus alias":
    "an empty message here: {} is all that may stand there",
  "io.k8s.api.discovery.v1.EndpointSlice.addressType enum":
    "IPv4 and IPv6 are constants made of core/v1's, which the facts did not follow",
  "/v1/componentstatuses introduced": "upstream's method says 1.0; the facts left it out",
  "/v1/componentstatuses deprecated": "upstream's method says 1.19; the facts left it out",
  "/v1/endpoints deprecated": "upstream's method says 1.33; the facts left it out",
};

const leaves: Record<string, string> = {
  quantity: "quantity",
  time: "time",
  microtime: "microTime",
  duration: "duration",
  "int-or-string": "intOrString",
  "any-object": "raw",
  object: "fieldsV1",
  any: "json",
};

/** The facts' word for a type in the words of ours. */
function translate(facts: Facts, word: string): string {
  if (word.startsWith("[]")) return `[]${translate(facts, word.slice(2))}`;
  if (word.startsWith("map ")) return `map ${translate(facts, word.slice(4))}`;
  if (word === "double") return "float64";
  if (word === "any") return "json";
  const special = facts.types[word.slice("ref ".length)]?.special;
  return (special !== undefined && leaves[special]) || word;
}

function compareField(facts: Facts, fact: FactField, field: Field): string[] {
  const wrong: string[] = [];
  const same = (attribute: string, theirs: unknown, ours: unknown) => {
    if (JSON.stringify(theirs) !== JSON.stringify(ours)) wrong.push(attribute);
  };
  same("type", translate(facts, fact.type), field.type);
  for (const attribute of [
    "num",
    "ptr",
    "inline",
    "default",
    "patchStrategy",
    "patchMergeKey",
    "listType",
    "listMapKeys",
    "mapType",
    "gates",
  ] as const) {
    same(attribute, fact[attribute], field[attribute]);
  }
  same("enum", fact.enum && facts.enums[fact.enum], field.enum);
  if (!fact.inline) {
    same("required", fact.opt !== true, field.required === true);
    same("opt", fact.omit !== false, field.opt === true);
    same("omitZero", fact.omit === "zero", field.omitZero === true);
  }
  return wrong;
}

function compareType(facts: Facts, name: string, fact: FactType): string[] {
  const info: TypeInfo | undefined = typeInfo(name);
  if (info === undefined) return [`${name} missing`];
  const wrong: string[] = [];
  for (const attribute of ["mapType", "proto", "alias"] as const) {
    if (fact[attribute] !== info[attribute]) wrong.push(`${name} ${attribute}`);
  }
  if (Boolean(fact.typeMeta) !== Boolean(info.typeMeta)) wrong.push(`${name} typeMeta`);
  if (Boolean(fact.union) !== Boolean(info.unions)) wrong.push(`${name} unions`);
  if (info.special !== undefined || info.alias !== undefined) return wrong;
  const key = (field: string) => (field.startsWith("+") ? field.toLowerCase() : field);
  const ours = new Map(Object.entries(info.fields).map(([k, field]) => [key(k), field]));
  if (info.typeMeta) for (const member of ["kind", "apiVersion"]) ours.delete(member);
  const theirs = Object.entries(fact.fields ?? {});
  if (theirs.map(([k]) => key(k)).join() !== [...ours.keys()].join()) wrong.push(`${name} fields`);
  for (const [k, field] of theirs) {
    const own = ours.get(key(k));
    if (own === undefined) continue;
    for (const attribute of compareField(facts, field, own))
      wrong.push(`${name}.${k} ${attribute}`);
  }
  return wrong;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

describe.skipIf(!present)(`the table and an independent one${reason}`, () => {
  const load = <T>(file: string): T => JSON.parse(readFileSync(join(folder, file), "utf8")) as T;
  const found: string[] = [];

  test("types and fields", () => {
    const facts = load<Facts>("types.json");
    const own = Object.entries(facts.types).filter(([, f]) => !leaves[f.special ?? ""]);
    for (const [name, fact] of own) found.push(...compareType(facts, name, fact));
    expect(found.filter((difference) => explained[difference] === undefined)).toEqual([]);
    // The answer of /version is no API object; the facts leave it out.
    const more = ["io.k8s.apimachinery.pkg.version.Info"];
    expect(typeNames().filter((name) => facts.types[name] === undefined)).toEqual(more);
  });

  test("resources", () => {
    const facts = load<Record<string, unknown>[]>("resources.json");
    const wrong: string[] = [];
    for (const fact of facts) {
      const [group, version, plural] = [fact.group, fact.version, fact.plural].map(String);
      // Three attributes are ours alone.
      const { ga, storageVersionHash, returnsDeleted, ...info } = resourceOf(
        group!,
        version!,
        plural!,
      )!;
      for (const attribute of new Set([...Object.keys(fact), ...Object.keys(info)])) {
        const pair = [fact, info].map((r) => sorted((r as Record<string, unknown>)[attribute]));
        if (JSON.stringify(pair[0]) === JSON.stringify(pair[1])) continue;
        wrong.push(`${group}/${version}/${plural} ${attribute}`);
      }
    }
    found.push(...wrong);
    expect(wrong.filter((difference) => explained[difference] === undefined)).toEqual([]);
    expect(resources.length).toBe(facts.length);
  });

  test("no explanation is left over", () => {
    expect(Object.keys(explained).filter((difference) => !found.includes(difference))).toEqual([]);
  });
});
