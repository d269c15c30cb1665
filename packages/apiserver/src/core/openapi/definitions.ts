/**
 * The schemas that a document needs: those its paths name, and those that these name in turn.
 *
 * Shapes  x-kubernetes-group-version-kind   the kinds a type stands for. Options and watch events
 *         belong to every group: v3 names them for the core group and the document's own.
 * Source  k8s.io/kube-openapi pkg/builder3/openapi.go,
 *         staging/src/k8s.io/apiserver/pkg/endpoints/openapi/openapi.go
 */
import { type GroupVersionKind, kinds } from "@nanokube/api";
import type { CustomSchemas } from "./custom-resources.ts";
import type { Path } from "./operations.ts";
import { type Dialect, type Schema, typeSchema } from "./schema.ts";

const byType = new Map<string, GroupVersionKind[]>();

function kindsOf(name: string): readonly GroupVersionKind[] {
  if (byType.size === 0) {
    for (const { type, ...kind } of kinds()) {
      if (!byType.has(type)) byType.set(type, []);
      byType.get(type)!.push(kind);
    }
    const key = (k: GroupVersionKind) => `${k.group}\0${k.version}\0${k.kind}`;
    for (const list of byType.values()) list.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
  return byType.get(name) ?? [];
}

/** The kinds of a type that a document of one group and version tells. */
function toldKinds(name: string, own: GroupVersion | undefined): GroupVersionKind[] {
  const all = kindsOf(name);
  const told =
    own === undefined || all.length < 2
      ? all
      : all.filter(
          (kind) =>
            (kind.group === "" && kind.version === "v1") ||
            (kind.group === own.group && kind.version === own.version),
        );
  return told.map(({ group, kind, version }) => ({ group, kind, version }));
}

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

export interface DefinitionOptions {
  readonly dialect: Dialect;
  readonly paths: readonly Path[];
  /** v3: the document's own group and version; v2 tells all kinds. */
  readonly own?: GroupVersion;
  readonly custom: CustomSchemas;
}

const references = new WeakMap<object, ReadonlySet<string>>();

/** Every name that the schema refers to. */
function referencesOf(schema: Readonly<Schema>): ReadonlySet<string> {
  const known = references.get(schema);
  if (known !== undefined) return known;
  const found = new Set<string>();
  collectReferences(schema, found);
  references.set(schema, found);
  return found;
}

function collectReferences(schema: unknown, found: Set<string>): void {
  if (Array.isArray(schema)) {
    for (const item of schema) collectReferences(item, found);
    return;
  }
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref" && typeof value === "string") found.add(value.replace(/^.*\//, ""));
    else collectReferences(value, found);
  }
}

function lookUp(options: DefinitionOptions, name: string): Readonly<Schema> {
  const found = options.custom.get(name)?.[options.dialect] ?? typeSchema(options.dialect, name);
  if (found === undefined) throw new Error(`no schema for the type ${name}`);
  return found;
}

export function definitions(options: DefinitionOptions): Record<string, Schema> {
  const wanted = new Set<string>();
  for (const { operations } of options.paths) {
    for (const { body, answers } of operations) {
      if (body !== undefined) wanted.add(body.type);
      for (const [, type] of answers) if (type !== "string") wanted.add(type);
    }
  }
  const found: [string, Schema][] = [];
  for (const name of wanted) {
    const schema = lookUp(options, name);
    const told = toldKinds(name, options.own);
    const kinds = told.length === 0 ? {} : { "x-kubernetes-group-version-kind": told };
    found.push([name, { ...schema, ...kinds }]);
    // A set visits what is added on the way, too.
    for (const referred of referencesOf(schema)) wanted.add(referred);
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}
