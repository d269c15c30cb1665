/**
 * Messages as JSON, by the rules of protobuf's JSON mapping with the names of the .proto files.
 *
 * Out: zero values are left out, 64-bit numbers are text, bytes are base64, enums are names.
 * In:  both spellings of names; unknown names and enum values are ignored; base64 of both kinds
 * Errors  JsonError in protojson's words
 * Source  google.golang.org/protobuf encoding/protojson; etcd v3.6 server/embed/serve.go
 *         (UseProtoNames, not EmitUnpopulated, DiscardUnknown)
 */
import { etcd, type FieldFact, messageFields } from "@nanokube/rpc";
import { JsonError, type JsonValue } from "./parse-json.ts";

type Enum = Readonly<Record<string, number>>;

/** Fields whose numbers have names. */
const enums: Readonly<Record<string, Enum>> = {
  "mvccpb.Event.type": etcd.Event_EventType,
  "authpb.Permission.permType": etcd.Permission_Type,
  "etcdserverpb.RangeRequest.sortOrder": etcd.RangeRequest_SortOrder,
  "etcdserverpb.RangeRequest.sortTarget": etcd.RangeRequest_SortTarget,
  "etcdserverpb.Compare.result": etcd.Compare_CompareResult,
  "etcdserverpb.Compare.target": etcd.Compare_CompareTarget,
  "etcdserverpb.WatchCreateRequest.filters": etcd.WatchCreateRequest_FilterType,
  "etcdserverpb.AlarmRequest.action": etcd.AlarmRequest_AlarmAction,
  "etcdserverpb.AlarmRequest.alarm": etcd.AlarmType,
  "etcdserverpb.AlarmMember.alarm": etcd.AlarmType,
  "etcdserverpb.DowngradeRequest.action": etcd.DowngradeRequest_DowngradeAction,
};

/** Names that stand in the .proto files as they are in JSON; all others have underscores there. */
const asTheyAre = new Set(
  `ID TTL permType keyPermission grantedTTL peerURLs clientURLs isLearner targetID memberID dbSize
  dbSizeInUse dbSizeQuota raftIndex raftAppliedIndex storageVersion downgradeInfo targetVersion
  hashedPassword authRevision`.split(/\s+/),
);

interface JsonField extends FieldFact {
  readonly protoName: string;
  readonly names: Enum | undefined;
}

const known = new Map<string, readonly JsonField[]>();

function fieldsOf(message: string): readonly JsonField[] {
  let fields = known.get(message);
  if (fields === undefined) {
    fields = messageFields(message).map((fact) => ({
      ...fact,
      protoName: protoName(message, fact.name),
      names: enums[`${message}.${fact.name}`],
    }));
    known.set(message, fields);
  }
  return fields;
}

function protoName(message: string, name: string): string {
  if (asTheyAre.has(name)) return name;
  // The header has it with an underscore, the status without.
  if (name === "raftTerm" && message === "etcdserverpb.StatusResponse") return name;
  if (name === "remainingTTL") return "remaining_TTL";
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

type Fields = Readonly<Record<string, unknown>>;

/** `separator` is a comma, or a comma and a blank: etcd's unary answers have the blank. */
export function toJson(message: string, value: object, separator = ","): string {
  const parts: string[] = [];
  for (const field of fieldsOf(message)) {
    const given = (value as Fields)[field.name];
    if (isAbsent(field, given)) continue;
    const one = (item: unknown) => valueToJson(field, item, separator);
    const text = Array.isArray(given) ? `[${given.map(one).join(separator)}]` : one(given);
    parts.push(`"${field.protoName}":${text}`);
  }
  return `{${parts.join(separator)}}`;
}

function isAbsent({ shape, value, oneof }: FieldFact, given: unknown): boolean {
  if (given === undefined || given === null) return true;
  if (shape === "repeated") return (given as unknown[]).length === 0;
  if (value.message !== undefined || oneof !== undefined) return false;
  if (given instanceof Uint8Array) return given.length === 0;
  return given === 0 || given === 0n || given === "" || given === false;
}

function valueToJson({ value, names }: JsonField, given: unknown, separator: string): string {
  if (value.message !== undefined) return toJson(value.message, given as object, separator);
  if (given instanceof Uint8Array) return `"${Buffer.from(given).toString("base64")}"`;
  if (names !== undefined) {
    const name = Object.keys(names).find((key) => names[key] === given);
    return name === undefined ? String(given) : `"${name}"`;
  }
  if (/64/.test(value.scalar!)) return `"${given}"`;
  return JSON.stringify(given);
}

export function fromJson(message: string, json: JsonValue): Record<string, unknown> {
  if (json.kind !== "object") throw unexpected(json);
  const out: Record<string, unknown> = {};
  const fields = fieldsOf(message);
  for (const [name, value] of json.members) {
    const field = fields.find((f) => f.protoName === name || f.name === name);
    if (field === undefined || (value.kind === "literal" && value.value === null)) continue;
    if (field.shape !== "repeated") {
      const read = readValue(field, name, value);
      if (read !== undefined) out[field.name] = read;
    } else {
      if (value.kind !== "array") throw unexpected(value);
      const items = value.items.map((item) => readValue(field, name, item));
      out[field.name] = items.filter((item) => item !== undefined);
    }
  }
  return out;
}

/** Undefined for an enum's value that nobody knows. */
function readValue(field: JsonField, name: string, json: JsonValue): unknown {
  const { value, names } = field;
  if (value.message !== undefined) return fromJson(value.message, json);
  if (names !== undefined && json.kind === "string") return names[json.text];
  const read = readScalar(value.scalar!, json);
  if (read !== undefined) return read;
  const kind = names === undefined ? value.scalar!.replace("!", "") : "enum";
  throw new JsonError(`proto: ${at(json)}: invalid value for ${kind} field ${name}: ${json.raw}`);
}

function readScalar(kind: string, json: JsonValue): unknown {
  if (kind === "string") return json.kind === "string" ? json.text : undefined;
  if (kind === "bytes") return json.kind === "string" ? readBase64(json.text) : undefined;
  if (kind === "bool") {
    return json.kind === "literal" && typeof json.value === "boolean" ? json.value : undefined;
  }
  if (json.kind !== "number" && json.kind !== "string") return undefined;
  const text = json.kind === "string" ? json.text : json.raw;
  return readNumber(kind, text);
}

function readBase64(text: string): Buffer | undefined {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  const bytes = Buffer.from(plain, "base64");
  return bytes.toString("base64").replace(/=+$/, "") === plain ? bytes : undefined;
}

function readNumber(kind: string, text: string): number | bigint | undefined {
  if (!/^-?\d+(\.0+)?$/.test(text)) return undefined;
  const whole = BigInt(text.split(".")[0]!);
  const bits = kind.includes("64") ? 64 : 32;
  const fits = kind.startsWith("u") ? BigInt.asUintN(bits, whole) : BigInt.asIntN(bits, whole);
  if (fits !== whole) return undefined;
  return kind.endsWith("!") ? whole : Number(whole);
}

const at = ({ line, column }: JsonValue) => `(line ${line}:${column})`;

function unexpected(json: JsonValue): JsonError {
  const token = json.kind === "object" || json.kind === "array" ? json.raw[0]! : json.raw;
  return new JsonError(`proto: syntax error ${at(json)}: unexpected token ${token}`);
}
