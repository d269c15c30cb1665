/**
 * Reads the generated table, one file a group and version, when a type of it is first asked for.
 *
 * A process that handles Pods only never parses the rest; all 35 files together take about 6 ms.
 *
 * Shapes  table/resources.json             {groups, resources, kinds}
 *         table/go-names/<package>.json    what only error texts say: {types, internal}
 *         table/types/<package>.json       type name → TypeInfo, package = the name up to its
 *                                          last dot ("io.k8s.api.core.v1")
 */
import { readdirSync, readFileSync } from "node:fs";
import type { GroupInfo, ResourceInfo, TypeInfo } from "./table.ts";

export interface ResourceTable {
  readonly kubernetes: string;
  readonly groups: readonly GroupInfo[];
  readonly resources: readonly ResourceInfo[];
  /** "apps/v1 Deployment" → type name. */
  readonly kinds: Readonly<Record<string, string>>;
}

type Package = Readonly<Record<string, TypeInfo>>;

const directory = new URL("./generated/table/", import.meta.url);
const packages = new Map<string, Package>();
let packageNames: ReadonlySet<string> | undefined;

function readJSON<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, directory), "utf8")) as T;
}

export function loadResources(): ResourceTable {
  return readJSON<ResourceTable>("resources.json");
}

/** The Go packages of the table, by their name in type names. */
export function listPackages(): ReadonlySet<string> {
  packageNames ??= new Set(
    readdirSync(new URL("types/", directory)).map((file) => file.replace(/\.json$/, "")),
  );
  return packageNames;
}

export function loadPackage(name: string): Package | undefined {
  const known = packages.get(name);
  if (known !== undefined || !listPackages().has(name)) return known;
  const loaded = readJSON<Package>(`types/${name}.json`);
  packages.set(name, loaded);
  return loaded;
}

/** Words that only error texts use: Go's types, and upstream's internal structs. */
export interface GoNamesOfPackage {
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly internal: Readonly<Record<string, readonly InternalMember[]>>;
}

/** [Go name, JSON name in the versioned type ("" when it has none), word]. */
export type InternalMember = readonly [string, string, string];

const noNames: GoNamesOfPackage = { types: {}, internal: {} };
const goNames = new Map<string, GoNamesOfPackage>();
let goNameFiles: ReadonlySet<string> | undefined;

export function loadGoNames(name: string): GoNamesOfPackage {
  goNameFiles ??= new Set(readdirSync(new URL("go-names/", directory)));
  let known = goNames.get(name);
  if (known === undefined) {
    const file = `${name}.json`;
    known = goNameFiles.has(file) ? readJSON<GoNamesOfPackage>(`go-names/${file}`) : noNames;
    goNames.set(name, known);
  }
  return known;
}
