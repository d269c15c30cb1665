/**
 * Answers made comparable: what differs from run to run (ids, times, revisions, addresses that the
 * server picked) is replaced by a word.
 */
import { typeOf } from "@nanokube/api";
import { decodeEnvelope, decodeProtobuf } from "@nanokube/machinery";
import type { RestAnswer } from "../subjects/apiserver.ts";
import type { CorpusAnswer, Tree } from "./corpus-case.ts";
import { quotedInOneOrder } from "./quoted-objects.ts";

const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [+]0000 UTC|Z)/g;
const age = /^(\d+[ywdhms])+$/;
const fixedTimes = /^20(20|26)-01-01/;
/** What generateName adds, and the server to the volume of a token. */
const suffix = /\b([Gg]en[-_]|kube-api-access-)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;

export function comparable(answer: RestAnswer, sent: string): CorpusAnswer {
  const type = String(answer.headers["content-type"] ?? "").replace(/;\s*charset=.*$/, "");
  const { warning } = answer.headers;
  return {
    status: answer.status,
    ...(type === "application/json" ? {} : { type }),
    ...(warning === undefined ? {} : { warnings: String(warning).split(/, (?=299 )/) }),
    body: type === protobuf ? decoded(answer.bytes, sent) : bodyOf(answer.text, type, sent),
  };
}

const protobuf = "application/vnd.kubernetes.protobuf";

/** An answer in protobuf, as the JSON of what it says. */
function decoded(bytes: Uint8Array | undefined, sent: string): unknown {
  const { apiVersion, kind, raw } = decodeEnvelope(bytes ?? new Uint8Array());
  const type = typeOf(apiVersion, kind);
  const object = type === undefined ? {} : decodeProtobuf(type, raw);
  return replaced({ ...object, apiVersion, kind }, "", sent);
}

function bodyOf(text: string, type: string, sent: string): unknown {
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
  const plain = text
    .replaceAll(uid, "<uid>")
    .replaceAll(time, (found) => (fixedTimes.test(found) ? found : "<time>"))
    .replaceAll(suffix, "$1<suffix>")
    .replaceAll(
      /(resourceVersion\\*":\\*"|in record \(|ResourceVersion in object meta: )\d+/g,
      "$1<rv>",
    )
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
