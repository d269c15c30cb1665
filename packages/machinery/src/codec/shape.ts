/**
 * The api table made ready to run: each type word parsed once, each struct's members in Go's order.
 *
 * Shapes  Shape    what a value is: a scalar, a list, a map (string keys), or a struct
 *         Struct   the members its JSON object has (inline fields opened up), and its protobuf
 *                  fields
 * Errors  UnknownTypeError  a type name that is not in the table
 */
import { type Field, typeInfo } from "@nanokube/api";

export type ScalarKind =
  | "string"
  | "bool"
  | "int32"
  | "int64"
  | "uint32"
  | "uint64"
  | "float64"
  | "bytes"
  | "quantity"
  | "time"
  | "microTime"
  | "intOrString"
  | "raw"
  | "fieldsV1"
  | "json";

export type SpecialKind = "schemaOrArray" | "schemaOrBool" | "schemaOrStrings";

export interface Scalar {
  readonly kind: ScalarKind;
}

export interface List {
  readonly kind: "list";
  readonly item: Shape;
  /** Name of the protobuf message {items = 1} that a named list is there. */
  readonly message?: string;
}

export interface MapOf {
  readonly kind: "map";
  readonly value: Shape;
}

export interface StructRef {
  readonly kind: "struct";
  readonly name: string;
}

/** JSON says a schema, or a list of them, a boolean, a list of strings. */
export interface Special {
  readonly kind: SpecialKind;
  readonly name: string;
}

export type Shape = Scalar | List | MapOf | StructRef | Special;

/** One member of a JSON object. */
export interface Member {
  readonly name: string;
  readonly shape: Shape;
  /** Left out of JSON when empty. */
  readonly opt: boolean;
  readonly omitZero: boolean;
  readonly ptr: boolean;
  readonly field: Field;
  /** Names of the embedded structs it stands in, as error texts name them. */
  readonly embedded: readonly string[];
}

/** One field of a protobuf message; an inline one has a span of members. */
export interface ProtoField {
  readonly num: number;
  readonly shape: Shape;
  readonly ptr: boolean;
  /** Ordinal of the member, or of the first one when inline. */
  readonly ordinal: number;
  readonly inline: boolean;
}

export interface Struct {
  readonly name: string;
  readonly members: readonly Member[];
  readonly ordinals: ReadonlyMap<string, number>;
  /** By ascending number. */
  readonly protoFields: readonly ProtoField[];
  readonly special: SpecialKind | undefined;
}

export class UnknownTypeError extends Error {
  constructor(name: string) {
    super(`no type "${name}" in the table`);
    this.name = "UnknownTypeError";
  }
}

const scalarKinds: ReadonlySet<string> = new Set<ScalarKind>([
  "string",
  "bool",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "float64",
  "bytes",
  "quantity",
  "time",
  "microTime",
  "intOrString",
  "raw",
  "fieldsV1",
  "json",
]);

const shapes = new Map<string, Shape>();
const structs = new Map<string, Struct>();

/** The shape a word of the type grammar stands for. */
export function shapeOf(word: string): Shape {
  let shape = shapes.get(word);
  if (shape === undefined) {
    shape = parseWord(word);
    shapes.set(word, shape);
  }
  return shape;
}

function parseWord(word: string): Shape {
  if (scalarKinds.has(word)) return { kind: word as ScalarKind };
  if (word.startsWith("[]")) return { kind: "list", item: shapeOf(word.slice(2)) };
  if (word.startsWith("map ")) return { kind: "map", value: shapeOf(word.slice(4)) };
  if (word.startsWith("ref ")) {
    const name = word.slice(4);
    const info = typeInfo(name);
    if (info === undefined) throw new UnknownTypeError(name);
    if (info.alias !== undefined) {
      const list = shapeOf(info.alias) as List;
      return { kind: "list", item: list.item, message: name };
    }
    if (info.special !== undefined) return { kind: info.special, name };
    return { kind: "struct", name };
  }
  throw new UnknownTypeError(word);
}

export function structOf(name: string): Struct {
  let struct = structs.get(name);
  if (struct === undefined) {
    struct = buildStruct(name);
    structs.set(name, struct);
  }
  return struct;
}

function buildStruct(name: string): Struct {
  const info = typeInfo(name);
  if (info === undefined) throw new UnknownTypeError(name);
  const members: Member[] = [];
  const protoFields: ProtoField[] = [];
  for (const [key, field] of Object.entries(info.fields)) {
    const shape = shapeOf(field.type);
    const ptr = field.ptr ?? false;
    const inline = field.inline ?? false;
    const ordinal = members.length;
    if (inline && shape.kind === "struct") {
      const embeddedName = key.charAt(1).toUpperCase() + key.slice(2);
      const inner = structOf(shape.name);
      const goName = embeddedName === "Handler" ? "ProbeHandler" : embeddedName;
      for (const member of inner.members) {
        members.push({ ...member, embedded: [goName, ...member.embedded] });
      }
    } else {
      members.push({
        name: key,
        shape,
        opt: field.opt ?? false,
        omitZero: field.omitZero ?? false,
        ptr,
        field,
        embedded: info.typeMeta && (key === "kind" || key === "apiVersion") ? ["TypeMeta"] : [],
      });
    }
    if (field.num !== undefined) {
      protoFields.push({ num: field.num, shape, ptr, ordinal, inline });
    }
  }
  protoFields.sort((a, b) => a.num - b.num);
  return {
    name,
    members,
    ordinals: new Map(members.map((member, i) => [member.name, i])),
    protoFields,
    special: info.special,
  };
}

/** "v1.PodSpec": how Go prints the type in error texts. */
export function goTypeName(shape: Shape): string {
  switch (shape.kind) {
    case "list":
      return shape.message === undefined ? `[]${goTypeName(shape.item)}` : shortName(shape.message);
    case "map":
      return shape.value.kind === "quantity"
        ? "v1.ResourceList"
        : `map[string]${goTypeName(shape.value)}`;
    case "bytes":
      return "[]uint8";
    case "quantity":
      return "resource.Quantity";
    case "time":
      return "v1.Time";
    case "microTime":
      return "v1.MicroTime";
    case "intOrString":
      return "intstr.IntOrString";
    case "raw":
      return "runtime.RawExtension";
    case "fieldsV1":
      return "v1.FieldsV1";
    case "json":
      return "v1.JSON";
    case "struct":
    case "schemaOrArray":
    case "schemaOrBool":
    case "schemaOrStrings":
      return shortName(shape.name);
    default:
      return shape.kind;
  }
}

function shortName(typeName: string): string {
  return typeName.split(".").slice(-2).join(".");
}

/** "PodSpec". */
export function goStructName(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf(".") + 1);
}
