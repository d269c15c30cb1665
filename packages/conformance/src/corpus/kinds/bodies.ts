/**
 * Bodies: unknown and repeated members under every fieldValidation, in JSON, YAML and every kind of
 * patch; protobuf that is cut off or is not protobuf; content types that a verb does not take.
 */
import { typeOf } from "@nanokube/api";
import { encodeEnvelope, encodeProtobuf, type KubeObject } from "@nanokube/machinery";
import {
  applyPatch,
  type CorpusCase,
  contentType,
  jsonPatch,
  mergePatch,
  strategicPatch,
  type Tree,
  yaml,
} from "../corpus-case.ts";
import { type Kind, request, withMeta } from "../life/kind.ts";

const levels = ["", "Strict", "Warn", "Ignore"];
const queryOf = (level: string, more = ""): string =>
  `?dryRun=All${level === "" ? "" : `&fieldValidation=${level}`}${more}`;

/** The object with members that its kind has not, and some twice. */
function doubled(kind: Kind, metadata: Tree): string {
  const object: Tree = { ...withMeta(kind, { ...metadata, bogus: { a: 1 } }), bogus: 1 };
  const text = JSON.stringify(object).replace('"corpus":"1"', '"corpus":"0","corpus":"1"');
  return `${text.slice(0, -1)},"kind":${JSON.stringify(object.kind)},"bogus":2}`;
}

/** The same in YAML: what is written in JSON is YAML, too. */
function doubledYAML(kind: Kind): string {
  const { apiVersion, kind: name, metadata: _, ...rest } = kind.object;
  const members = Object.entries({ apiVersion, kind: name, ...rest, bogus: 1 });
  const lines = members.map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return [...lines, "metadata:", "  name: yy", "  name: y", "  bogus: 1", "bogus: 2", ""].join(
    "\n",
  );
}

function strictness(kind: Kind): CorpusCase[] {
  const { all, one, object } = kind;
  const own = { apiVersion: object.apiVersion, kind: object.kind };
  const { name } = object.metadata as { name: string };
  return levels.flatMap((level) => {
    const query = queryOf(level);
    const named = (text: string): string => `${text}, ${level === "" ? "as it is" : level}`;
    const patch = (text: string, headers: Record<string, string>, body: unknown, more = "") =>
      request(named(text), "PATCH", `${one}${queryOf(level, more)}`, body, headers);
    return [
      request(named("create"), "POST", `${all}${query}`, doubled(kind, { name: "y" })),
      request(named("create in YAML"), "POST", `${all}${query}`, doubledYAML(kind), yaml),
      request(named("update"), "PUT", `${one}${query}`, doubled(kind, {})),
      patch(
        "merge",
        mergePatch,
        '{"metadata":{"labels":{"m":"1","m":"2"},"bogus":1},"bogus":1,"bogus":2}',
      ),
      patch("strategic", strategicPatch, '{"metadata":{"bogus":1,"bogus":2},"bogus":1}'),
      patch("json", jsonPatch, [
        { op: "add", path: "/bogus", value: 1 },
        { op: "add", path: "/metadata/bogus", value: 1, more: 1 },
      ]),
      patch(
        "apply",
        applyPatch,
        `${JSON.stringify({ ...own, metadata: { name, labels: { a: "1" } } }).slice(0, -1)},"kind":"${own.kind}"}`,
        "&fieldManager=m",
      ),
    ];
  });
}

function inProtobuf(kind: Kind): CorpusCase[] {
  const { all, one } = kind;
  const object = withMeta(kind, { name: "y" }) as KubeObject;
  const { apiVersion = "", kind: name = "" } = object;
  const raw = encodeProtobuf(typeOf(apiVersion, name)!, object);
  const whole = encodeEnvelope(apiVersion, name, raw);
  const type = contentType("application/vnd.kubernetes.protobuf");
  const post = (text: string, body: Uint8Array, headers = {}) =>
    request(`protobuf: ${text}`, "POST", `${all}?dryRun=All`, body, { ...type, ...headers });
  return [
    post("answered in JSON", whole),
    post("answered in YAML", whole, { accept: "application/yaml" }),
    post("cut off", encodeEnvelope(apiVersion, name, raw.slice(0, raw.length - 1))),
    post("an envelope cut off", whole.slice(0, whole.length - 3)),
    post("without a version", encodeEnvelope("", "", raw)),
    post("of another kind", encodeEnvelope("v1", "ComponentStatus", raw)),
    request("protobuf: an update", "PUT", `${one}?dryRun=All`, whole, type),
    request("protobuf: a patch", "PATCH", `${one}?dryRun=All`, whole, type),
  ];
}

function types({ all, one, object }: Kind): CorpusCase[] {
  const odd = ["application/merge-patch+json", "application/yaml-patch", "text/yaml", ""];
  const labels = { metadata: { labels: { c: "1" } } };
  return [
    ...odd.flatMap((type) => [
      request(`create as ${type}`, "POST", `${all}?dryRun=All`, object, contentType(type)),
      request(`update as ${type}`, "PUT", `${one}?dryRun=All`, object, contentType(type)),
    ]),
    ...[
      "application/merge-patch+json; charset=utf-8",
      "application/strategic-merge-patch+json;x=y",
      "application/json-patch+yaml",
      "application/apply-patch+json",
      "application/apply-patch+cbor",
      "application/yaml",
      "",
    ].map((type) =>
      request(
        `patch as ${type}`,
        "PATCH",
        `${one}?dryRun=All`,
        type === "application/apply-patch+json" ? { ...object, ...labels } : labels,
        contentType(type),
      ),
    ),
    request("read in YAML", "GET", one, undefined, { accept: "application/yaml" }),
    request("create in YAML, well", "POST", `${all}?dryRun=All`, withMeta2(object), yaml),
  ];
}

const withMeta2 = (object: Tree): string => JSON.stringify({ ...object, metadata: { name: "y" } });

export const bodyCases = (kind: Kind): CorpusCase[] => [
  ...strictness(kind),
  ...inProtobuf(kind),
  ...types(kind),
];
