/**
 * Upstream's own fixtures: every kind it serves, as JSON, YAML and protobuf, read and written
 * back to the byte.
 *
 * They are in the Go module k8s.io/api, which `go mod download` brings; without Go the suite is
 * skipped.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kubernetesVersion, typeOf } from "@nanokube/api";
import { describe, expect, test } from "vitest";
import {
  decodeJSON,
  decodeObject,
  deepEqual,
  encodeCanonicalJSON,
  encodeJSON,
  encodeObject,
  type KubeObject,
  parseYAML,
} from "../src/index.ts";

function fixtureDirectory(): string | undefined {
  const version = kubernetesVersion.replace(/^v1\./, "v0.");
  try {
    const argv = ["mod", "download", "-json", `k8s.io/api@${version}`];
    const out = execFileSync("go", argv, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const directory = join((JSON.parse(out) as { Dir: string }).Dir, "testdata/HEAD");
    return existsSync(directory) ? directory : undefined;
  } catch {
    return undefined;
  }
}

const directory = fixtureDirectory();
const read = (name: string): Buffer => readFileSync(join(directory ?? "", name));

interface Fixture {
  name: string;
  type: string;
  tree: KubeObject;
}

/** Kinds in the table; the others are versions upstream no longer serves, or alpha. */
function fixtures(): Fixture[] {
  if (directory === undefined) return [];
  const found: Fixture[] = [];
  for (const file of readdirSync(directory)) {
    if (!file.endsWith(".json")) continue;
    const tree = JSON.parse(read(file).toString()) as KubeObject;
    const type = typeOf(tree.apiVersion ?? "", tree.kind ?? "");
    if (type !== undefined) found.push({ name: file.replace(/\.json$/, ""), type, tree });
  }
  return found;
}

const cases = fixtures();

describe.skipIf(directory === undefined)("upstream's fixtures (needs Go's module cache)", () => {
  test("there are many, Pods among them", () => {
    expect(cases.length).toBeGreaterThan(100);
    expect(cases.map(({ name }) => name)).toContain("core.v1.Pod");
  });

  test.for(cases)("$name: JSON comes back as it was, with nothing to object to", (fixture) => {
    const text = read(`${fixture.name}.json`).toString();
    const { object, strictErrors } = decodeJSON(text, fixture.type, { strict: true });
    expect(strictErrors).toEqual([]);
    expect(encodeCanonicalJSON(object)).toBe(JSON.stringify(fixture.tree));
    expect(encodeJSON(fixture.type, object)).toBe(JSON.stringify(fixture.tree));
  });

  test.for(cases)("$name: protobuf decodes to the JSON", ({ name, tree }) => {
    expect(JSON.stringify(decodeObject(read(`${name}.pb`)))).toBe(JSON.stringify(tree));
  });

  test.for(cases)("$name: encodes to upstream's bytes", ({ name, tree }) => {
    expect(Buffer.from(encodeObject(tree)).equals(read(`${name}.pb`))).toBe(true);
  });

  test.for(cases)("$name: YAML says the same", ({ name, tree }) => {
    expect(deepEqual(parseYAML(read(`${name}.yaml`).toString()), tree)).toBe(true);
  });
});
