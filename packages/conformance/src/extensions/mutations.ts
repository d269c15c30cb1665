/** What mutating policies make of objects. */
import { configMap, configMaps, dry, type Tree, withPolicy } from "./policy-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

const create = (label: string, name: string, data: Tree): Step => ({
  method: "POST",
  path: `${configMaps}${dry}`,
  body: configMap(label, name, { data }),
});

const apply = (expression: string): Tree => ({
  patchType: "ApplyConfiguration",
  applyConfiguration: { expression },
});
const patch = (expression: string): Tree => ({
  patchType: "JSONPatch",
  jsonPatch: { expression },
});

const label = "Object{metadata: Object.metadata{labels: {'mutated': 'yes'}}}";
const mark = apply(label);

/** After the words are there, the others are tried. */
function mutated(name: string, spec: Tree, tries: Tree[], until = '"mutated":"yes"'): Scenario {
  const own = `map-${name}`;
  const [first, ...rest] = tries.map((data, i) => create(own, `n${i}`, data));
  return withPolicy(`mutating: ${name}`, { label: own, spec, isMutating: true }, [
    { ...first!, until },
    ...rest,
  ]);
}

const failing = (name: string, ...mutations: Tree[]): Scenario =>
  mutated(name, { mutations }, [{ a: "x" }], "denied request");

export const mutationScenarios: readonly Scenario[] = [
  mutated("apply", { mutations: [mark] }, [{ a: "x" }]),
  mutated(
    "two",
    { mutations: [mark, apply("Object{data: {'b': object.metadata.labels.mutated}}")] },
    [{ a: "x" }],
  ),
  mutated(
    "patch",
    {
      mutations: [
        patch(
          "[JSONPatch{op: 'add', path: '/metadata/labels/mutated', value: 'yes'}, JSONPatch{op: 'copy', from: '/data/a', path: '/data/c'}]",
        ),
      ],
    },
    [{ a: "x" }],
  ),
  mutated(
    "patch-escaped",
    {
      mutations: [
        patch(
          "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('example.com/mutated'), value: 'yes'}]",
        ),
      ],
    },
    [{ a: "x" }],
    "example.com/mutated",
  ),
  mutated(
    "patch-object",
    {
      mutations: [mark, patch("[JSONPatch{op: 'add', path: '/data', value: Object.data{z: 'q'}}]")],
    },
    [{ a: "x" }],
  ),
  mutated(
    "patch-map",
    { mutations: [mark, patch("[JSONPatch{op: 'add', path: '/data', value: {'z': 'q'}}]")] },
    [{ a: "x" }],
  ),
  mutated(
    "patch-test",
    {
      mutations: [
        mark,
        patch(
          "[JSONPatch{op: 'test', path: '/data/a', value: 'y'}, JSONPatch{op: 'add', path: '/data/b', value: 'z'}]",
        ),
      ],
    },
    [{ a: "x" }, { a: "y" }],
  ),
  mutated(
    "condition",
    { matchConditions: [{ name: "m", expression: "object.data.a == 'x'" }], mutations: [mark] },
    [{ a: "x" }, { a: "y" }],
  ),
  mutated(
    "variables",
    {
      variables: [{ name: "v", expression: "object.data.a + '!'" }],
      mutations: [mark, apply("Object{data: {'b': variables.v}}")],
    },
    [{ a: "x" }],
  ),
  mutated(
    "optional",
    { mutations: [mark, apply("Object{data: {'b': object.data[?'q'].orValue('none')}}")] },
    [{ a: "x" }],
  ),
  mutated(
    "request",
    {
      mutations: [
        mark,
        apply("Object{data: {'b': request.userInfo.username + namespaceObject.metadata.name}}"),
      ],
    },
    [{ a: "x" }],
  ),
  mutated(
    "ignore",
    { failurePolicy: "Ignore", mutations: [mark, apply("Object{data: {'b': object.data.nope}}")] },
    [{ a: "x" }],
  ),
  failing("fails", apply("Object{data: {'b': object.data.nope}}")),
  failing(
    "fails-twice",
    apply("Object{data: {'b': object.data.nope}}"),
    patch("[JSONPatch{op: 'add', path: object.data.nay, value: 'x'}]"),
  ),
  failing("wrong-place", apply("Object{metadata: Object.spec{labels: {'a': 'b'}}}")),
  failing("unknown-field", apply("Object{spec: Object.spec{a: 'b'}}")),
  failing("patch-absent", patch("[JSONPatch{op: 'replace', path: '/nope/nope', value: 'x'}]")),
  failing("condition-fails"),
].slice(0, -1);
