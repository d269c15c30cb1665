/** YAML read as upstream reads it (taken by running sigs.k8s.io/yaml). */
import { expect, test } from "vitest";
import { formatYAML, parseYAML, parseYAMLDocuments, YAMLError } from "./yaml.ts";

test.for([
  ["a: yes", { a: true }],
  ["a: Off", { a: false }],
  ['a: "yes"', { a: "yes" }],
  ["a: 0777", { a: 511 }],
  ["a: 0x1f", { a: 31 }],
  ["a: 22:22", { a: "22:22" }],
  ["a: 2001-01-01", { a: "2001-01-01" }],
  ["a: 1_000", { a: 1000 }],
  ["a: ~", { a: null }],
  ["1: x", { "1": "x" }],
  ["x: &d {p: 1}\nz:\n  <<: *d\n  q: 2", { x: { p: 1 }, z: { p: 1, q: 2 } }],
  ["# nothing", undefined],
] as const)("%j", ([text, tree]) => {
  expect(parseYAML(text)).toEqual(tree);
});

test("documents are apart, empty ones are none", () => {
  expect(parseYAMLDocuments("a: 1\n---\n# empty\n---\nb: 2\n")).toEqual([{ a: 1 }, { b: 2 }]);
});

test("a key that comes twice is refused when asked", () => {
  expect(parseYAML("a: 1\na: 2")).toEqual({ a: 2 });
  expect(() => parseYAML("a: 1\na: 2", { strict: true })).toThrow(YAMLError);
  expect(() => parseYAML("a: [1")).toThrow(YAMLError);
});

test("aliases cannot blow up", () => {
  const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"];
  for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
  expect(() => parseYAML(lines.join("\n"))).toThrow();
});

test("written with sorted keys", () => {
  expect(formatYAML({ b: ["x"], a: "yes" })).toBe('a: "yes"\nb:\n- x\n');
});
