/**
 * Answers made comparable: what differs from run to run (ids, times, revisions, addresses that the
 * server picked) is replaced by a word.
 */
import { gunzipSync } from "node:zlib";
import { typeOf } from "@nanokube/api";
import { decodeEnvelope, decodeProtobuf, parseYAML } from "@nanokube/machinery";
import type { RestAnswer } from "../subjects/apiserver.ts";
import type { CorpusAnswer, Tree } from "./corpus-case.ts";
import { quotedInOneOrder } from "./quoted-objects.ts";

const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [+]0000 UTC|Z)/g;
const age = /^(\d+[ywdhms])+$/;
const fixedTimes = /^20(20|26)-01-01/;
/** What makes an object large. */
const filler = /x{1000,}/g;
/** What generateName adds, and the server to the volume of a token. */
const suffix =
  /\b([Gg]en[-_]|kube-api-access-|n{58}|a\.\.b-|A-)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;

export function comparable(answer: RestAnswer, sent: string): CorpusAnswer {
  const type = String(answer.headers["content-type"] ?? "").replace(/;\s*charset=.*$/, "");
  const { warning, vary } = answer.headers;
  const encoding = answer.headers["content-encoding"];
  const text = encoding === "gzip" ? gunzipSync(answer.bytes!).toString() : answer.text;
  return {
    status: answer.status,
    ...(type === "application/json" ? {} : { type }),
    ...(warning === undefined ? {} : { warnings: String(warning).split(/, (?=299 )/) }),
    ...(encoding || vary ? { encoding: `${String(encoding)}, vary ${String(vary)}` } : {}),
    body: binary.has(type) ? decodedBody(answer, type, sent) : bodyOf(text, type, sent),
  };
}

const watched = "application/vnd.kubernetes.protobuf;stream=watch";
const binary = new Set(["application/vnd.kubernetes.protobuf", watched]);

function decodedBody(
  { bytes = new Uint8Array(), headers }: RestAnswer,
  type: string,
  sent: string,
) {
  const plain = headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
  if (type !== watched) return decoded(plain, sent);
  const events: unknown[] = [];
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  for (let at = 0; at + 4 <= plain.length; ) {
    const length = view.getUint32(at);
    const frame = plain.subarray(at + 4, at + 4 + length);
    const event = decodeProtobuf("io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent", frame);
    events.push(replaced(event, "", sent));
    at += 4 + length;
  }
  return events;
}

/** The "k" of "k8s\0". */
const envelopeStart = 0x6b;

/** An answer in protobuf, as the JSON of what it says. */
function decoded(bytes: Uint8Array | undefined, sent: string): unknown {
  if (bytes?.[0] !== envelopeStart) return Buffer.from(bytes ?? []).toString();
  const { apiVersion, kind, raw } = decodeEnvelope(bytes);
  const type = typeOf(apiVersion, kind);
  const object = type === undefined ? {} : decodeProtobuf(type, raw);
  return replaced({ ...object, apiVersion, kind }, "", sent);
}

function bodyOf(text: string, type: string, sent: string): unknown {
  // Of a table only the members count: the prose of its columns is upstream's own.
  if (type === "application/yaml" && text.includes("\nkind: Table\n")) {
    return replaced(parseYAML(text), "", sent);
  }
  if (type !== "application/json") return words(text, sent);
  try {
    return replaced(JSON.parse(text), "", sent);
  } catch {
    return linesOf(text, sent) ?? words(text, sent);
  }
}

/** A watch: an event a line. */
function linesOf(text: string, sent: string): unknown {
  try {
    const lines = text.split("\n").filter(Boolean);
    return lines.map((line) => replaced(JSON.parse(line), "", sent));
  } catch {
    return undefined;
  }
}

function words(text: string, sent: string): string {
  const short = text.length > 10_000 ? text.replaceAll(filler, "<filler>") : text;
  const plain = short
    .replaceAll(uid, "<uid>")
    .replaceAll(time, (found) => (fixedTimes.test(found) ? found : "<time>"))
    .replaceAll(suffix, "$1<suffix>")
    .replaceAll(
      /(resourceVersion\\*":\\*"|in record \(|ResourceVersion in object meta: )\d+/g,
      "$1<rv>",
    )
    .replaceAll(/( resourceVersion: )"\d+"/g, '$1"<rv>"')
    .replaceAll(/(Too large resource version: \d+, current: )\d+/g, "$1<rv>")
    .replaceAll(/\b10\.89\.0\.1:\d+/g, "10.89.0.1:<port>")
    .replaceAll(/\b10\.96\.\d+\.\d+\b/g, (found) => (sent.includes(found) ? found : "<ip>"));
  return quotedInOneOrder(plain, sent);
}

const credential = "authentication.kubernetes.io/credential-id";

const isPort = (value: unknown, sent: string): boolean =>
  typeof value === "number" && value >= 30000 && value < 33000 && !sent.includes(String(value));

/** Members in one order, for JSON has none. */
function replaced(value: unknown, name: string, sent: string): unknown {
  if (name === "managedFields" && Array.isArray(value)) return inOneOrder(value, sent);
  if (name === "causes" && isConflict(value)) return inOneOrder(value as unknown[], sent);
  if (Array.isArray(value)) {
    return value.map((item) =>
      name === "cells" && typeof item === "string" && age.test(item)
        ? "<age>"
        : replaced(item, name, sent),
    );
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    // The prose of table columns is upstream's own and not repeated here.
    const kept =
      name === "columnDefinitions" ? entries.filter(([key]) => key !== "description") : entries;
    const tree: Tree = Object.fromEntries(
      kept.map(([key, member]) => [key, replaced(member, key, sent)]),
    );
    // Who asked: a certificate has an id that another way in has not.
    const { extra } = tree as { extra?: Tree };
    if (extra && Object.hasOwn(extra, credential)) delete extra[credential];
    if (extra && Object.keys(extra).length === 0) delete tree.extra;
    return tree;
  }
  if (["nodePort", "healthCheckNodePort"].includes(name) && isPort(value, sent)) return "<port>";
  if (typeof value !== "string") return value;
  if (name === "resourceVersion") return value === "" ? "" : "<rv>";
  if (name === "continue") return value === "" ? "" : "<token>";
  if (name === "cells")
    return words(value, sent).replaceAll(/:3[0-2]\d{3}\b/g, (port) =>
      sent.includes(port.slice(1)) ? port : ":<port>",
    );
  return words(value, sent);
}

/** Upstream lists the conflicts of an apply in the order of a Go map: by chance. */
const isConflict = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.some((cause) => (cause as { reason?: string }).reason === "FieldManagerConflict");

/** Entries stand in the order of their times, which are of the second: it differs by chance. */
function inOneOrder(entries: readonly unknown[], sent: string): unknown {
  const texts = entries.map((entry) => JSON.stringify(replaced(entry, "", sent)));
  return texts.sort().map((text) => JSON.parse(text) as unknown);
}
