/**
 * What exactly is wrong with a JSON text of a type: upstream's words, in the order of the document.
 *
 * Shapes  error         the first value that does not fit: "json: cannot unmarshal string into
 *                       Go struct field
 *                       DeploymentSpec.spec.replicas of type int32"; a text that a type refuses
 *                       itself
 *                       (time, quantity) comes before one that only has the wrong kind
 *         strictErrors  `unknown field "spec.foo"`, `duplicate field "spec.replicas"`; at most 100
 * Source  sigs.k8s.io/json internal/golang/encoding/json/decode.go, kubernetes_patch.go
 */
import { goTypeOfMember } from "@nanokube/api";
import { quoteGo } from "../go-text.ts";
import type { Node } from "./json-syntax.ts";
import { canonicalQuantity } from "./quantity-text.ts";
import { goStructName, goTypeName, type Member, type Shape, structOf } from "./shape.ts";
import { normalizeMicroTime, normalizeTime } from "./times.ts";

export interface Diagnosis {
  error: string | undefined;
  strictErrors: string[];
}

const maxStrictErrors = 100;

export function diagnose(root: Node, typeName: string | undefined): Diagnosis {
  const doctor = new Doctor();
  if (typeName === undefined) doctor.untyped(root);
  else doctor.check(root, { kind: "struct", name: typeName });
  return { error: doctor.fatal ?? doctor.saved, strictErrors: [...doctor.strict] };
}

class Doctor {
  readonly strict = new Set<string>();
  saved: string | undefined;
  fatal: string | undefined;
  /** Path as strict errors show it: with indexes and map keys. */
  #path = "";
  /** Path as type errors show it: struct fields only. */
  readonly #fields: string[] = [];
  #struct: string | undefined;
  /** What Go calls the type of the value at hand, when its shape does not tell. */
  #named: string | undefined;

  check(node: Node, shape: Shape): void {
    if (node.kind === "null") return;
    switch (shape.kind) {
      case "struct":
        this.#checkStruct(node, shape.name, shape);
        return;
      case "list":
        this.#checkList(node, shape.item, shape);
        return;
      case "map":
        this.#checkMap(node, shape.value, shape);
        return;
      case "raw":
      case "fieldsV1":
      case "json":
        return;
      case "schemaOrArray":
      case "schemaOrBool":
      case "schemaOrStrings":
        this.#checkSpecial(node, shape);
        return;
      default:
        this.#checkScalar(node, shape);
    }
  }

  /** Without a type only duplicates can be wrong. */
  untyped(node: Node): void {
    if (node.kind === "array") {
      node.items.forEach((item, i) => {
        this.#within(`[${i}]`, () => this.untyped(item));
      });
    } else if (node.kind === "object") {
      const seen = new Set<string>();
      for (const [key, value] of node.members) {
        if (seen.has(key)) this.#complain("duplicate", key);
        seen.add(key);
        this.#within(this.#join(key), () => this.untyped(value));
      }
    }
  }

  #join(key: string): string {
    return this.#path === "" ? key : `.${key}`;
  }

  #within(step: string, visit: () => void): void {
    const before = this.#path;
    this.#path += step;
    visit();
    this.#path = before;
  }

  #complain(kind: "unknown" | "duplicate", key: string): void {
    if (this.strict.size >= maxStrictErrors) return;
    this.strict.add(`${kind} field ${quoteGo(this.#path + this.#join(key))}`);
  }

  #mismatch(node: Node, shape: Shape, text?: string): void {
    this.saved ??= this.#mismatchText(text ?? node.kind, this.#named ?? goTypeName(shape));
  }

  #mismatchText(value: string, type: string): string {
    const where =
      this.#struct === undefined
        ? "Go value"
        : `Go struct field ${this.#struct}.${this.#fields.join(".")}`;
    return `json: cannot unmarshal ${value} into ${where} of type ${type}`;
  }

  #checkStruct(node: Node, name: string, shape: Shape): void {
    if (node.kind !== "object") {
      this.#mismatch(node, shape);
      return;
    }
    const struct = structOf(name);
    const seen = new Set<string>();
    for (const [key, value] of node.members) {
      const ordinal = struct.ordinals.get(key);
      if (ordinal === undefined) {
        this.#complain("unknown", key);
        continue;
      }
      if (seen.has(key)) this.#complain("duplicate", key);
      seen.add(key);
      this.#checkMember(value, struct.members[ordinal]!, name);
      if (this.fatal !== undefined) return;
    }
  }

  #checkMember(node: Node, member: Member, owner: string): void {
    const outer = this.#struct;
    const depth = this.#fields.length;
    this.#struct = goStructName(owner);
    this.#named = goTypeOfMember(owner, member.name);
    this.#fields.push(...member.embedded, member.name);
    this.#within(this.#join(member.name), () => this.check(node, member.shape));
    this.#fields.length = depth;
    this.#struct = outer;
    this.#named = undefined;
  }

  #checkList(node: Node, item: Shape, shape: Shape): void {
    if (node.kind !== "array") {
      this.#mismatch(node, shape);
      return;
    }
    const named = this.#named?.startsWith("[]") ? this.#named.slice(2) : undefined;
    for (let i = 0; i < node.items.length; i++) {
      this.#named = named;
      this.#within(`[${i}]`, () => this.check(node.items[i]!, item));
      if (this.fatal !== undefined) return;
    }
  }

  #checkMap(node: Node, value: Shape, shape: Shape): void {
    if (node.kind !== "object") {
      this.#mismatch(node, shape);
      return;
    }
    const seen = new Set<string>();
    for (const [key, member] of node.members) {
      if (seen.has(key)) this.#complain("duplicate", key);
      seen.add(key);
      this.#named = undefined;
      this.#within(this.#join(key), () => this.check(member, value));
      if (this.fatal !== undefined) return;
    }
  }

  #checkSpecial(node: Node, shape: Shape & { name: string }): void {
    const schemaName = `${shape.name.slice(0, shape.name.lastIndexOf(".") + 1)}JSONSchemaProps`;
    const schema: Shape = { kind: "struct", name: schemaName };
    // Upstream hands these to a decoder of their own, which does not look for strict errors.
    const inner = new Doctor();
    if (node.kind === "object") {
      inner.check(node, schema);
    } else if (shape.kind === "schemaOrBool") {
      if (node.kind !== "bool") this.fatal ??= "boolean or JSON schema expected";
    } else if (node.kind === "array") {
      const item: Shape = shape.kind === "schemaOrArray" ? schema : { kind: "string" };
      inner.check(node, { kind: "list", item });
    } else {
      inner.check(node, schema);
    }
    this.fatal ??= inner.fatal ?? inner.saved;
  }

  #checkScalar(node: Node, shape: Shape): void {
    switch (shape.kind) {
      case "string":
        if (node.kind !== "string") this.#mismatch(node, shape);
        return;
      case "bool":
        if (node.kind !== "bool") this.#mismatch(node, shape);
        return;
      case "bytes":
        this.#checkBytes(node, shape);
        return;
      case "quantity":
        this.#attempt(() => canonicalQuantity(textOf(node)));
        return;
      case "time":
      case "microTime":
        if (node.kind !== "string") this.fatal ??= this.#mismatchText(node.kind, "string");
        else {
          const normalize = shape.kind === "time" ? normalizeTime : normalizeMicroTime;
          this.#attempt(() => normalize(node.value));
        }
        return;
      case "intOrString":
        if (node.kind === "string") return;
        if (node.kind !== "number") this.fatal ??= this.#mismatchText(node.kind, "int32");
        else if (!fitsInteger(node.text, 32)) {
          this.fatal ??= this.#mismatchText(`number ${node.text}`, "int32");
        }
        return;
      default:
        this.#checkNumber(node, shape);
    }
  }

  #checkNumber(node: Node, shape: Shape): void {
    if (node.kind !== "number") {
      this.#mismatch(node, shape);
      return;
    }
    if (shape.kind === "float64") {
      if (!Number.isFinite(Number(node.text))) this.#mismatch(node, shape, `number ${node.text}`);
      return;
    }
    const bits = shape.kind === "int32" || shape.kind === "uint32" ? 32 : 64;
    const unsigned = shape.kind === "uint32" || shape.kind === "uint64";
    if (!fitsInteger(node.text, bits, unsigned)) {
      this.#mismatch(node, shape, `number ${node.text}`);
    }
  }

  #checkBytes(node: Node, shape: Shape): void {
    if (node.kind !== "string") {
      this.#mismatch(node, shape);
      return;
    }
    const bad = illegalBase64At(node.value);
    if (bad !== undefined) this.saved ??= `illegal base64 data at input byte ${bad}`;
  }

  #attempt(normalize: () => unknown): void {
    try {
      normalize();
    } catch (error) {
      this.fatal ??= (error as Error).message;
    }
  }
}

/** The text a type's own decoder is handed. */
function textOf(node: Node): string {
  if (node.kind === "string") return node.value;
  if (node.kind === "number") return node.text;
  if (node.kind === "bool") return String(node.value);
  return node.kind === "array" ? "[" : "{";
}

function fitsInteger(text: string, bits: number, unsigned = false): boolean {
  if (!/^-?\d+$/.test(text)) return false;
  const value = BigInt(text);
  return value === (unsigned ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value));
}

/** Where Go's decoder gives up; undefined when it does not. */
function illegalBase64At(text: string): number | undefined {
  let quantum = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "\r" || char === "\n") continue;
    if (char === "=") {
      if (quantum < 2) return i;
      const padding = quantum === 2 ? /^=[\r\n]*=[\r\n]*/ : /^=[\r\n]*/;
      const match = padding.exec(text.slice(i));
      if (match === null) return text.length;
      return i + match[0].length === text.length ? undefined : i + match[0].length;
    }
    if (!/[A-Za-z0-9+/]/.test(char)) return i;
    quantum = (quantum + 1) % 4;
  }
  return quantum === 0 ? undefined : text.length - quantum;
}
