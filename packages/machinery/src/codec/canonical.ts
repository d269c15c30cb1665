/**
 * The canonical tree of a typed object: what Go would hold after decoding it, as Go would write it.
 *
 * Members stand in Go's order; empty ones are left out or filled in by Go's rules (`omitempty`,
 * `omitzero`, pointers); map keys are sorted; quantities and times have their canonical text. So
 * two canonical trees are deepEqual exactly when upstream would call the objects equal, and
 * JSON.stringify writes upstream's JSON.
 *
 * One walk, compiled once a type. It does not explain: on anything unusual it raises a flag, and
 * json-diagnose.ts finds the words.
 */
import { isPlainObject, setMember, sortedKeys } from "../json-tree.ts";
import { canonicalQuantity } from "./quantity-text.ts";
import { type Member, type Shape, structOf } from "./shape.ts";
import { normalizeMicroTime, normalizeTime } from "./times.ts";
import { isStructLike, zeroOf, zeroValue } from "./zero.ts";

export interface Walk {
  /** Count members, and look for unknown ones. */
  readonly strict: boolean;
  /** A value does not fit its type. */
  bad: boolean;
  /** A member is unknown. */
  unknown: boolean;
  /** Object members seen; against the text's count it betrays duplicates. */
  members: number;
}

/** Converts a value that is neither null nor undefined. */
type Convert = (value: unknown, walk: Walk) => unknown;

const structConverters = new Map<string, Convert>();

/** The converter of a struct, made on first use: types refer to each other in circles. */
export function structConverter(name: string): Convert {
  let convert = structConverters.get(name);
  if (convert === undefined) {
    convert = compileStruct(name);
    structConverters.set(name, convert);
  }
  return convert;
}

interface CompiledMember {
  readonly name: string;
  convert: Convert | undefined;
  readonly shape: Shape;
  readonly absent: (() => unknown) | undefined;
  readonly dropEmpty: boolean;
  readonly omitZero: boolean;
  readonly zero: () => unknown;
}

function compileMember(member: Member): CompiledMember {
  const sample = zeroOf(member);
  const zero = member.ptr ? () => null : () => zeroValue(member.shape);
  let absent: (() => unknown) | undefined;
  if (sample !== undefined) {
    absent = typeof sample === "object" && sample !== null ? zero : () => sample;
  }
  return {
    name: member.name,
    convert: undefined,
    shape: member.shape,
    absent,
    dropEmpty: member.opt && !member.ptr && !isStructLike(member.shape),
    omitZero: member.omitZero,
    zero,
  };
}

function isEmpty(value: unknown): boolean {
  if (typeof value === "object") {
    if (value === null) return true;
    if (Array.isArray(value)) return value.length === 0;
    for (const _ in value) return false;
    return true;
  }
  return value === "" || value === false || value === 0;
}

/** Zero through and through: what omitzero asks of a struct. */
function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return false;
  if (isPlainObject(value)) return Object.values(value).every(isZero);
  return isEmpty(value);
}

function compileStruct(name: string): Convert {
  const members = structOf(name).members.map(compileMember);
  return (value, walk) => {
    if (!isPlainObject(value)) return fail(walk);
    const out: Record<string, unknown> = {};
    let known = 0;
    for (const member of members) {
      const given = value[member.name];
      if (given === undefined || given === null) {
        if (given === null) known++;
        if (member.absent !== undefined) out[member.name] = member.absent();
        continue;
      }
      known++;
      member.convert ??= converterOf(member.shape);
      const converted = member.convert(given, walk);
      if (member.dropEmpty && isEmpty(converted)) continue;
      if (member.omitZero && isZero(converted)) continue;
      out[member.name] = converted;
    }
    if (walk.strict) {
      let present = 0;
      for (const _ in value) present++;
      if (present !== known) walk.unknown = true;
      walk.members += known;
    }
    return out;
  };
}

function fail(walk: Walk): null {
  walk.bad = true;
  return null;
}

const string: Convert = (v, walk) => (typeof v === "string" ? v : fail(walk));
const bool: Convert = (v, walk) => (typeof v === "boolean" ? v : fail(walk));
const float: Convert = (v, walk) => (typeof v === "number" ? v : fail(walk));

function integer(min: number, max: number): Convert {
  return (v, walk) => {
    const fits = typeof v === "number" && Number.isInteger(v) && v >= min && v <= max;
    return fits ? v : fail(walk);
  };
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const bytes: Convert = (v, walk) => {
  if (typeof v !== "string") return fail(walk);
  if (base64.test(v)) return v;
  const joined = v.replace(/[\r\n]/g, "");
  return base64.test(joined) ? joined : fail(walk);
};

const int32 = integer(-(2 ** 31), 2 ** 31 - 1);

const intOrString: Convert = (v, walk) => (typeof v === "string" ? v : int32(v, walk));

/** What throws on a bad text: the flag says so, the diagnosis repeats it for the words. */
function guarded(normalize: (text: string) => string | null): Convert {
  return (v, walk) => {
    if (typeof v !== "string") return fail(walk);
    try {
      return normalize(v);
    } catch {
      return fail(walk);
    }
  };
}

const quantity: Convert = (v, walk) => {
  if (typeof v !== "string" && typeof v !== "number") return fail(walk);
  try {
    return canonicalQuantity(String(v));
  } catch {
    return fail(walk);
  }
};

function countMembers(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((n, item) => n + countMembers(item), 0);
  if (!isPlainObject(value)) return 0;
  let n = 0;
  for (const key of Object.keys(value)) n += 1 + countMembers(value[key]);
  return n;
}

const anything: Convert = (v, walk) => {
  if (walk.strict) walk.members += countMembers(v);
  return v;
};

function listOf(item: Shape): Convert {
  let convert: Convert | undefined;
  return (value, walk) => {
    if (!Array.isArray(value)) return fail(walk);
    convert ??= converterOf(item);
    const out = new Array(value.length);
    for (let i = 0; i < value.length; i++) {
      const given = value[i];
      out[i] = given === null || given === undefined ? zeroValue(item) : convert(given, walk);
    }
    return out;
  };
}

function mapOf(item: Shape): Convert {
  let convert: Convert | undefined;
  return (value, walk) => {
    if (!isPlainObject(value)) return fail(walk);
    convert ??= converterOf(item);
    const keys = sortedKeys(value);
    if (walk.strict) walk.members += keys.length;
    const out: Record<string, unknown> = {};
    for (const key of keys) {
      const given = value[key];
      if (given === undefined) continue;
      setMember(out, key, given === null ? zeroValue(item) : convert(given, walk));
    }
    return out;
  };
}

function schemaOr(name: string, other: "list" | "bool" | "strings"): Convert {
  const schemaType = name.slice(0, name.lastIndexOf(".") + 1);
  const schema: Convert = (v, w) => structConverter(`${schemaType}JSONSchemaProps`)(v, w);
  const list = listOf(
    other === "strings"
      ? { kind: "string" }
      : { kind: "struct", name: `${schemaType}JSONSchemaProps` },
  );
  return (value, walk) => {
    if (isPlainObject(value)) return schema(value, walk);
    if (other === "bool") return bool(value, walk);
    const items = list(value, walk);
    return isEmpty(items) ? null : items;
  };
}

function converterOf(shape: Shape): Convert {
  switch (shape.kind) {
    case "string":
      return string;
    case "bool":
      return bool;
    case "int32":
      return int32;
    case "int64":
      return integer(-(2 ** 63), 2 ** 63);
    case "uint32":
      return integer(0, 2 ** 32 - 1);
    case "uint64":
      return integer(0, 2 ** 64);
    case "float64":
      return float;
    case "bytes":
      return bytes;
    case "quantity":
      return quantity;
    case "time":
      return guarded(normalizeTime);
    case "microTime":
      return guarded(normalizeMicroTime);
    case "intOrString":
      return intOrString;
    case "raw":
    case "fieldsV1":
    case "json":
      return anything;
    case "list":
      return listOf(shape.item);
    case "map":
      return mapOf(shape.value);
    case "struct":
      return structConverter(shape.name);
    case "schemaOrArray":
      return schemaOr(shape.name, "list");
    case "schemaOrBool":
      return schemaOr(shape.name, "bool");
    case "schemaOrStrings":
      return schemaOr(shape.name, "strings");
  }
}

/**
 * The canonical tree of an object that code has put together. Parts without a type
 * (RawExtension, fieldsV1) are shared with the argument, all others are new.
 *
 * @throws TypeError when a value does not fit its field: that is a bug of the caller.
 */
export function canonicalize<T extends object>(typeName: string, object: T): T {
  const walk: Walk = { strict: false, bad: false, unknown: false, members: 0 };
  const out = structConverter(typeName)(object, walk);
  if (walk.bad) throw new TypeError(`object does not fit type ${typeName}`);
  return out as T;
}
