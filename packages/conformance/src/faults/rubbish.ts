/**
 * Bodies that are wrong: right ones with bytes changed, and documents in each format whose grammar
 * is odd: nesting without end, numbers out of range, names twice, lengths that lie, bombs.
 *
 * Pure: the same for the same numbers.
 */
import { encodeEnvelope, encodeProtobuf } from "@nanokube/machinery";
import { oddBinary } from "./odd-binary.ts";

/** A whole number from 0, below the limit. */
export type Numbers = (below: number) => number;

export interface RubbishKind {
  name: string;
  method: "POST" | "PATCH" | "DELETE" | "PUT";
  path: string;
  contentType: string;
  make(next: Numbers): Buffer;
}

const pods = "/api/v1/namespaces/default/pods";
/** Made before, with this name and data. */
export const target = { name: "target", data: { a: "1", list: "x" } };
const map = `/api/v1/namespaces/default/configmaps/${target.name}`;

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", labels: { a: "b" } },
  spec: { containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }] },
};
const podJSON = JSON.stringify(pod);
const podProtobuf = Buffer.from(
  encodeEnvelope("v1", "Pod", encodeProtobuf("io.k8s.api.core.v1.Pod", pod)),
);
// {"apiVersion": "v1", "kind": "Pod"} behind its tag; behind a feature gate, and off.
const podCBOR = Buffer.from("d9d9f7a24a61706956657273696f6e427631446b696e6443506f64", "hex");

/** A few bytes changed, moved or missing. */
export function brokenBytes(body: Buffer, next: Numbers): Buffer {
  const copy = Buffer.from(body);
  for (let i = 0; i <= next(4); i++) {
    const at = next(copy.length);
    const how = next(3);
    if (how === 0) copy[at] = next(256);
    if (how === 1) copy.copyWithin(at, next(copy.length));
    if (how === 2) return Buffer.concat([copy.subarray(0, at), copy.subarray(next(copy.length))]);
  }
  return copy;
}

/** Values as text, for JSON is not enough to say them. */
const oddValues: readonly ((next: Numbers) => string)[] = [
  () => "null",
  () => "1e400",
  () => "-0",
  () => "9223372036854775808",
  () => "0.1e-9999",
  (next) => "9".repeat(1 + next(5000)),
  (next) => `"${"y".repeat(next(100_000))}"`,
  () => '"\\ud800"',
  () => '"\\u0000"',
  (next) => "[".repeat(next(20_000)),
  (next) => `${"[".repeat(5000)}${"]".repeat(next(5001))}`,
  (next) => `${'{"a":'.repeat(next(12_000))}1`,
  () => '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  () => '{"a":1,"a":2,"A":3}',
  (next) => `[${"{},".repeat(next(20_000))}{}]`,
  () => "true",
  () => '"/../../%00"',
  () => "NaN",
  () => '{"$patch":"replace","$retainKeys":["a",1],"$deleteFromPrimitiveList/x":[[]]}',
  () => '{"":{"":{"":[]}}}',
];

const pick = <T>(from: readonly T[], next: Numbers): T => from[next(from.length)]!;

/** One value of the text is another one. */
function oddJSON(text: string, next: Numbers): string {
  const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?!:)|\d+|\{[^{}]*\}|\[[^[\]]*\]/g)];
  const { index, 0: old } = pick(places, next);
  return text.slice(0, index) + pick(oddValues, next)(next) + text.slice(index + old.length);
}

const yamlHorrors: readonly ((next: Numbers) => string)[] = [
  (next) => {
    const names = Array.from({ length: 2 + next(25) }, (_, i) => i);
    const level = (i: number) => `a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`;
    return ["a0: &a0 [x]", ...names.slice(1).map(level)].join("\n");
  },
  () => "a: &a\n  b: *a",
  () => "<<: [*missing, {a: 1}]",
  (next) => "{".repeat(next(20_000)),
  (next) => "- ".repeat(next(20_000)),
  (next) => "? ".repeat(next(20_000)),
  (next) => Array.from({ length: next(500) }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  () => "a: !!js/function 'function(){}'\nb: !!python/object:os.system x\nc: !!binary ====",
  () => "%YAML 9.9\n%TAG ! tag:evil,2000:\n---\na: !x y",
  () => "---\na: 1\n---\nb: 2\n...\n---\n...",
  () => "\t\ta:\t- |9999999999\n  x",
  (next) => `a: "${"\\x41".repeat(next(20_000))}`,
  () => "a: 0x7fffffffffffffffffff\nb: .inf\nc: 1_000\nd: 12:30:45\ne: 0o777\nf: 2001-01-01",
  () => "\ufeff\u0000\u0085\u2028a: b",
  () => "? [a, {b: c}]\n: d\n? null\n: e",
];

const jsonPatches: readonly ((next: Numbers) => string)[] = [
  (next) => JSON.stringify(Array(next(12_000)).fill({ op: "test", path: "/data/a", value: "1" })),
  (next) => {
    // Each copy doubles what there is.
    const copies = Array.from({ length: next(40) }, (_, i) => ({
      op: "copy",
      from: "/data",
      path: `/data/x${i}`,
    }));
    return JSON.stringify(copies);
  },
  () => '[{"op":"move","from":"/data","path":"/data/a/b"}]',
  () => '[{"op":"add","path":"/data/~2~","value":{}}]',
  (next) => JSON.stringify([{ op: "add", path: "/a".repeat(next(20_000)), value: 1 }]),
  () => '[{"op":"remove","path":""},{"op":"test","path":"","value":null}]',
  () => '[{"op":"add","path":"/metadata/finalizers/99999999999","value":"x"}]',
  () => '[{"op":"replace","path":"/__proto__/polluted","value":1}]',
  () => '[{"op":"add","path":"/metadata","value":null},{"op":"nothing"}]',
];

const bytesOf = (text: string): Buffer => Buffer.from(text);

/** Half of them a right body with bytes changed, half of them odd on purpose. */
function half(right: Buffer, odd: (next: Numbers) => Buffer): (next: Numbers) => Buffer {
  return (next) => (next(2) === 0 ? brokenBytes(right, next) : odd(next));
}

const podYAML = `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {a: b}\n`;
const mapJSON = JSON.stringify({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: target.name, labels: { a: "b" }, finalizers: ["example.com/x"] },
  data: target.data,
});
const json = (text: string) => half(bytesOf(text), (next) => bytesOf(oddJSON(text, next)));
const yaml = (text: string) =>
  half(bytesOf(text), (next) => bytesOf(text + pick(yamlHorrors, next)(next)));
const dry = "?dryRun=All";
const applied = `${map}${dry}&fieldManager=m`;

export const rubbishKinds: readonly RubbishKind[] = [
  kind("JSON", "POST", pods, "application/json", json(podJSON)),
  kind("YAML", "POST", pods, "application/yaml", yaml(podYAML)),
  kind(
    "protobuf",
    "POST",
    pods,
    "application/vnd.kubernetes.protobuf",
    half(podProtobuf, (next) => oddBinary.protobuf(podProtobuf, next)),
  ),
  kind("CBOR", "POST", pods, "application/cbor", half(podCBOR, oddBinary.cbor)),
  kind("an update", "PUT", `${map}${dry}`, "application/json", json(mapJSON)),
  kind(
    "JSON patch",
    "PATCH",
    `${map}${dry}`,
    "application/json-patch+json",
    half(bytesOf('[{"op":"replace","path":"/data/a","value":"2"}]'), (next) =>
      bytesOf(pick(jsonPatches, next)(next)),
    ),
  ),
  kind("merge patch", "PATCH", `${map}${dry}`, "application/merge-patch+json", json(mapJSON)),
  kind(
    "strategic merge patch",
    "PATCH",
    `${map}${dry}`,
    "application/strategic-merge-patch+json",
    json(mapJSON),
  ),
  kind("apply, JSON", "PATCH", applied, "application/apply-patch+yaml", json(mapJSON)),
  kind("apply, YAML", "PATCH", applied, "application/apply-patch+yaml", yaml(mapYAML())),
  kind("apply, CBOR", "PATCH", applied, "application/apply-patch+cbor", oddBinary.cbor),
  kind(
    "options of a deletion",
    "DELETE",
    `${map}${dry}`,
    "application/json",
    json('{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"no"}}'),
  ),
  kind(
    "a custom object",
    "POST",
    `/apis/rubbish.example.com/v1/namespaces/default/bins${dry}`,
    "application/json",
    json(
      '{"apiVersion":"rubbish.example.com/v1","kind":"Bin","metadata":{"name":"b"},"spec":{"size":3,"any":{"x":[1]}}}',
    ),
  ),
];

function kind(
  name: string,
  method: RubbishKind["method"],
  path: string,
  contentType: string,
  make: RubbishKind["make"],
): RubbishKind {
  return { name, method, path, contentType, make };
}

function mapYAML(): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${target.name}\ndata: {a: b}\n`;
}
