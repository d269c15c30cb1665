/** What mutating policies make of objects. */
import {
  applying,
  configMap,
  configMaps,
  dry,
  patching,
  type Tree,
  withPolicy,
} from "./policy-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

const create = (label: string, name: string, data: Tree): Step => ({
  method: "POST",
  path: `${configMaps}${dry}`,
  body: configMap(label, name, { data }),
});

const label = "Object{metadata: Object.metadata{labels: {'mutated': 'yes'}}}";
const mark = applying(label);

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
    { mutations: [mark, applying("Object{data: {'b': object.metadata.labels.mutated}}")] },
    [{ a: "x" }],
  ),
  mutated(
    "patch",
    {
      mutations: [
        patching(
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
        patching(
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
      mutations: [
        mark,
        patching("[JSONPatch{op: 'add', path: '/data', value: Object.data{z: 'q'}}]"),
      ],
    },
    [{ a: "x" }],
  ),
  mutated(
    "patch-map",
    { mutations: [mark, patching("[JSONPatch{op: 'add', path: '/data', value: {'z': 'q'}}]")] },
    [{ a: "x" }],
  ),
  mutated(
    "patch-test",
    {
      mutations: [
        mark,
        patching(
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
      mutations: [mark, applying("Object{data: {'b': variables.v}}")],
    },
    [{ a: "x" }],
  ),
  mutated(
    "optional",
    { mutations: [mark, applying("Object{data: {'b': object.data[?'q'].orValue('none')}}")] },
    [{ a: "x" }],
  ),
  mutated(
    "request",
    {
      mutations: [
        mark,
        applying("Object{data: {'b': request.userInfo.username + namespaceObject.metadata.name}}"),
      ],
    },
    [{ a: "x" }],
  ),
  mutated(
    "ignore",
    {
      failurePolicy: "Ignore",
      mutations: [mark, applying("Object{data: {'b': object.data.nope}}")],
    },
    [{ a: "x" }],
  ),
  failing("fails", applying("Object{data: {'b': object.data.nope}}")),
  failing(
    "fails-twice",
    applying("Object{data: {'b': object.data.nope}}"),
    patching("[JSONPatch{op: 'add', path: object.data.nay, value: 'x'}]"),
  ),
  failing("wrong-place", applying("Object{metadata: Object.spec{labels: {'a': 'b'}}}")),
  failing("unknown-field", applying("Object{spec: Object.spec{a: 'b'}}")),
  failing("patch-absent", patching("[JSONPatch{op: 'replace', path: '/nope/nope', value: 'x'}]")),
  failing("condition-fails"),
].slice(0, -1);
