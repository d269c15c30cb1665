/**
 * Writes TypeScript types from the table: one file a group and version.
 *
 * Shapes  in   src/generated/table/*.json   what the Go program beside this file found
 *         out  src/generated/types/<group>/<version>.ts, wire-JSON shapes: every member optional,
 *              an enum is its values or any string (a newer server may know more of them)
 * Run     by `npm run generate -w @nanokube/api`, after the Go program
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Field, TypeInfo } from "../src/table.ts";

const generated = join(import.meta.dirname, "../src/generated");
const leaves: Record<string, string> = {
  string: "string",
  bool: "boolean",
  int32: "number",
  int64: "number",
  uint32: "number",
  uint64: "number",
  float64: "number",
  bytes: "string",
  quantity: "string",
  time: "string",
  microTime: "string",
  duration: "string",
  intOrString: "number | string",
  raw: "{ [field: string]: unknown }",
  fieldsV1: "{ [field: string]: unknown }",
  json: "unknown",
};
const specials: Record<string, string> = {
  schemaOrArray: "JSONSchemaProps | JSONSchemaProps[]",
  schemaOrBool: "JSONSchemaProps | boolean",
  schemaOrStrings: "JSONSchemaProps | string[]",
};

interface Name {
  group: string;
  version: string;
  type: string;
}

/** "io.k8s.api.core.v1.Pod" → core, v1, Pod; the answer of /version has no group: version, v1. */
function parseName(name: string): Name {
  if (name === "io.k8s.apimachinery.pkg.version.Info") {
    return { group: "version", version: "v1", type: "Info" };
  }
  const parts = name.split(".");
  return { group: parts.at(-3)!, version: parts.at(-2)!, type: parts.at(-1)! };
}

class Module {
  readonly #imports = new Map<string, Set<string>>();
  readonly #own: Name;
  body = "";

  constructor(own: Name) {
    this.#own = own;
  }

  /** A type of another module comes in under its own name, or with its group's when they meet. */
  reference(name: string): string {
    const { group, version, type } = parseName(name);
    if (group === this.#own.group && version === this.#own.version) return type;
    const from = `../${group}/${version}.ts`;
    const alias = `${group}_${version}_${type}`;
    if (!this.#imports.has(from)) this.#imports.set(from, new Set());
    this.#imports.get(from)!.add(`${type} as ${alias}`);
    return alias;
  }

  text(): string {
    const imports = [...this.#imports].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = imports.map(
      ([from, names]) => `import type { ${[...names].sort().join(", ")} } from "${from}";\n`,
    );
    const header = `/** ${this.#own.group}/${this.#own.version}, generated: do not edit. */\n`;
    return `${header}${lines.join("")}${this.body}`;
  }
}

function wordToType(module: Module, word: string, values?: readonly string[]): string {
  if (word.startsWith("[]")) {
    const item = wordToType(module, word.slice(2), values);
    return /^\w+$/.test(item) ? `${item}[]` : `(${item})[]`;
  }
  if (word.startsWith("map ")) return `{ [key: string]: ${wordToType(module, word.slice(4))} }`;
  if (word.startsWith("ref ")) return module.reference(word.slice(4));
  if (values !== undefined) {
    return `${values.map((value) => JSON.stringify(value)).join(" | ")} | (string & {})`;
  }
  const leaf = leaves[word];
  if (leaf === undefined) throw new Error(`no TypeScript type for "${word}"`);
  return leaf;
}

function declare(module: Module, name: Name, info: TypeInfo, kind: string | undefined): string {
  if (info.special !== undefined) return `export type ${name.type} = ${specials[info.special]};\n`;
  if (info.alias !== undefined) {
    return `export type ${name.type} = ${wordToType(module, info.alias)};\n`;
  }
  const parents: string[] = [];
  const members: string[] = [];
  for (const [key, field] of Object.entries<Field>(info.fields)) {
    if (field.inline) {
      parents.push(wordToType(module, field.type));
    } else {
      const own = /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key);
      members.push(`  ${own}?: ${wordToType(module, field.type, field.enum)};\n`);
    }
  }
  const tag = kind === undefined || name.group === "meta" ? "" : `/** ${kind} */\n`;
  // An alias and not an interface: only then may it stand for an object of any fields.
  const from = parents.map((parent) => `${parent} & `).join("");
  const body = members.length > 0 ? `{\n${members.join("")}}` : "{ [field: string]: never }";
  return `${tag}export type ${name.type} = ${from}${body};\n`;
}

function main(): void {
  const table = join(generated, "table");
  const types = new Map<string, TypeInfo>();
  for (const file of readdirSync(join(table, "types")).sort()) {
    const text = readFileSync(join(table, "types", file), "utf8");
    for (const [name, info] of Object.entries<TypeInfo>(JSON.parse(text))) types.set(name, info);
  }
  const { kinds } = JSON.parse(readFileSync(join(table, "resources.json"), "utf8"));
  const kindOf = new Map<string, string>();
  for (const [kind, name] of Object.entries<string>(kinds)) {
    if (!kindOf.has(name)) kindOf.set(name, kind);
  }
  const modules = new Map<string, Module>();
  for (const [full, info] of types) {
    const name = parseName(full);
    const path = `${name.group}/${name.version}.ts`;
    if (!modules.has(path)) modules.set(path, new Module(name));
    const module = modules.get(path)!;
    module.body += declare(module, name, info, kindOf.get(full));
  }
  rmSync(join(generated, "types"), { recursive: true, force: true });
  for (const [path, module] of modules) {
    const target = join(generated, "types", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, module.text());
  }
}

main();
