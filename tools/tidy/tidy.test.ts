/**
 * The rules of the house, read off the repository itself, so that nobody has to remember them.
 */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { hopTags, lifeOfAPod, target } from "../docs/life-of-a-pod.ts";
import { importCycles } from "./cycles.ts";
import { brokenLinks, longReadme } from "./documents.ts";
import { exceptions } from "./exceptions.ts";
import { impureCores, layerBreaches } from "./layers.ts";
import { longFiles, longFunctions, wideLines } from "./size.ts";
import { readSources, repositoryFiles, resolveImport, root, sizeOf } from "./sources.ts";

const files = repositoryFiles();
const sources = readSources();
const packages = [...new Set(sources.map((s) => s.unit))].filter((u) => u.startsWith("packages/"));

/** What is left after the listed exceptions; an exception that is no longer needed is named too. */
function unexcused(found: readonly string[], allowed: Readonly<Record<string, string>>): string[] {
  const pathOf = (line: string) => line.split(/:| /, 1)[0]!;
  const left = found.filter((line) => !Object.hasOwn(allowed, pathOf(line)));
  const used = new Set(found.map(pathOf));
  const idle = Object.keys(allowed).filter((path) => !used.has(path));
  return [...left, ...idle.map((path) => `${path}: the exception is not needed any more`)];
}

describe("layers", () => {
  test("packages import only what the import rule allows", () => {
    expect(layerBreaches(sources)).toEqual([]);
  });

  test("a core has no I/O, no clock, no randomness", () => {
    expect(impureCores(sources, new Set(Object.keys(exceptions.pure)))).toEqual([]);
  });

  test("no file imports itself by way of others", () => {
    expect(importCycles(sources)).toEqual([]);
  });
});

describe("sizes", () => {
  test("a file has at most 400 lines", () => {
    expect(unexcused(longFiles(sources), exceptions.longFiles)).toEqual([]);
  });

  test("a function has at most 70 lines", () => {
    expect(unexcused(longFunctions(sources), exceptions.longFunctions)).toEqual([]);
  });

  test("a line has at most 100 columns", () => {
    expect(wideLines(sources)).toEqual([]);
  });

  test("no file is larger than 100 kB", () => {
    const large = files
      .filter((path) => sizeOf(path) > 100_000)
      .map((path) => `${path}: too large`);
    expect(unexcused(large, exceptions.blobs)).toEqual([]);
  });
});

describe("names and headers", () => {
  test("nothing is called after what it is not", () => {
    const banned = /^(utils?|helpers?|common|misc|base|types-all)(\.ts)?$/;
    expect(files.filter((path) => path.split("/").some((part) => banned.test(part)))).toEqual([]);
  });

  test("every source file begins by saying what it is", () => {
    const silent = sources.filter(
      ({ text, isTest, isGenerated }) =>
        !isTest && !isGenerated && !/^(#![^\n]*\n)?\/\*\*/.test(text),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test("files are kebab-case", () => {
    const odd = sources.filter(({ path, isGenerated }) => {
      const name = basename(path).replace(/(\.test)?\.ts$/, "");
      return !isGenerated && !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name);
    });
    expect(odd.map(({ path }) => path)).toEqual([]);
  });
});

describe("documents", () => {
  test("the life of a Pod is what the hop tags say", () => {
    const written = files.includes(target) ? readFileSync(join(root, target), "utf8") : "";
    expect(written, 'run "npm run docs:hops"').toBe(lifeOfAPod(hopTags(sources)));
  });
});

describe("nothing unfinished", () => {
  test("no note stands for a feature", () => {
    const pattern = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`);
    expect(sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("a skipped test says why", () => {
    const silent = sources.filter(({ text }) =>
      /\b(test|it|describe)\.(skip|todo|only)\(/.test(text),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test("every source file is used", () => {
    const used = new Set(
      sources.flatMap((s) => s.imports.map(({ specifier }) => resolveImport(s, specifier))),
    );
    const entry = /\/(bin|index|main)\.ts$|\.test\.ts$/;
    const idle = sources
      .filter(({ path, isGenerated }) => !isGenerated && !entry.test(path) && !used.has(path))
      .map(({ path }) => `${path}: nobody imports it`);
    expect(unexcused(idle, exceptions.entryPoints)).toEqual([]);
  });

  test("every package says what it leaves out", () => {
    const silent = packages.filter((unit) => {
      const readme =
        files.includes(`${unit}/README.md`) && readFileSync(join(root, unit, "README.md"), "utf8");
      return readme === false || !/left out/i.test(readme);
    });
    expect(silent).toEqual([]);
  });
});

describe("documents", () => {
  const documents = files.filter((path) => path.endsWith(".md") && !path.includes("testdata"));

  test("their links lead somewhere", () => {
    expect(documents.flatMap((path) => brokenLinks(root, path))).toEqual([]);
  });

  test("a package's README fits two screens", () => {
    const readmes = packages.map((unit) => `${unit}/README.md`);
    expect(readmes.flatMap((path) => longReadme(root, path))).toEqual([]);
  });
});
