/** YAML read as upstream reads it (taken by running sigs.k8s.io/yaml). */
import { expect, test } from "vitest";
import { parseYAML, parseYAMLDocuments, repeatedKeys, YAMLError } from "./yaml.ts";
import { formatYAML } from "./yaml-text.ts";

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

test.for([
  ["\na: 1\nb: 2\na: 3", 'yaml: unmarshal errors:\n  line 4: key "a" already set in map'],
  [
    "a:\n  b: 1\n  b: 2\na:\n  1: x\n  1: y",
    'yaml: unmarshal errors:\n  line 3: key "b" already set in map\n' +
      '  line 6: key 1 already set in map\n  line 5: key "a" already set in map',
  ],
  ["- {a: 1, a: 2}", 'yaml: unmarshal errors:\n  line 1: key "a" already set in map'],
  ["a: 1\n---\na: 2\na: 3", undefined],
  ["a: {b: 1}\nc: {b: 1}", undefined],
] as const)("what a strict reader says of %j", ([text, said]) => {
  expect(repeatedKeys(text)).toBe(said);
});

test.for([
  [
    "? [a, {b: c}]\n: d",
    'invalid map key: []interface {}{"a", map[interface {}]interface {}{"b":"c"}}',
  ],
  [
    "? ? null\n: e",
    "invalid map key: map[interface {}]interface {}{interface {}(nil):interface {}(nil)}",
  ],
  ["a: &a [x]\n? *a\n: 1", 'invalid map key: []interface {}{"x"}'],
  ["a: &a\n  b: *a", "anchor 'a' value contains itself"],
  ["<<: [*missing, {a: 1}]", "unknown anchor 'missing' referenced"],
  ["<<: [1]", "map merge requires map or sequence of maps as the value"],
  ["? {? {? {a: 1}: 2}: 3}\n: 4", 'invalid map key: map[interface {}]interface {}{"a":1}'],
  ["a: \u0007", "control characters are not allowed"],
  ["a: !!binary ====", "!!binary value contains invalid base64 data"],
])("%j is refused as Go's reader does", ([text, problem]) => {
  expect(() => parseYAML(text!)).toThrow(new YAMLError(`yaml: ${problem}`));
});

test("an alias that comes again, and a name that is given again, are none of these", () => {
  expect(parseYAML("a: &a [x]\nb: *a\nc: &a {d: 1}\ne: *a")).toEqual({
    a: ["x"],
    b: ["x"],
    c: { d: 1 },
    e: { d: 1 },
  });
});

test("keys in keys in keys are refused before they are written as text, which took minutes", () => {
  expect(() => parseYAML(`a: b\n${"? ".repeat(400)}`)).toThrow(/^yaml: invalid map key: map/);
});

test("aliases cannot blow up", () => {
  const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"];
  for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
  expect(() => parseYAML(lines.join("\n"))).toThrow();
});

test("written with sorted keys", () => {
  expect(formatYAML({ b: ["x"], a: "yes" })).toBe('a: "yes"\nb:\n- x\n');
});
