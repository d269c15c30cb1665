/**
 * One step into an object, as managed fields write it.
 *
 * Shapes  "f:name"                   a field or map key
 *         'k:{"name":"web"}'         the item of a list with these keys; names sorted
 *         'v:"a"'                    the item of a set
 *         "i:3"                      the item at a place (atomic lists have none; kept when read)
 * Source  sigs.k8s.io/structured-merge-diff/v6 fieldpath/element.go, serialize-pe.go
 */
import { marshalGo, quoteGo } from "../go-text.ts";

/** Steps seen before: the same few thousand names come with every object of a cluster. */
const maxRemembered = 8192;
const fields = new Map<string, string>();
const normalized = new Map<string, string>();

function remember<T>(known: Map<string, T>, text: string, made: T): T {
  if (known.size >= maxRemembered) known.clear();
  if (text.length <= 256) known.set(text, made);
  return made;
}

/** Always the same text for a name: sets of paths need not hash it again. */
export function fieldElement(name: string): string {
  return fields.get(name) ?? remember(fields, name, `f:${name}`);
}

export const valueElement = (value: unknown): string => `v:${marshalGo(value)}`;

export function keyElement(fields: readonly (readonly [string, unknown])[]): string {
  const isSorted = fields.every(([name], i) => i === 0 || fields[i - 1]![0] < name);
  const sorted = isSorted ? fields : [...fields].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let text = "k:{";
  for (const [name, value] of sorted) {
    text += `${text.length > 3 ? "," : ""}${JSON.stringify(name)}:${marshalGo(value)}`;
  }
  return `${text}}`;
}

/** The same element in the one spelling that is compared. Throws on what is no element. */
export function normalizeElement(text: string): string {
  if (text.length < 2) throw new Error("key must be 2 characters long:");
  if (text[1] !== ":") throw new Error(`missing colon: ${text}`);
  switch (text[0]) {
    case "f":
      return text;
    case "i":
      return `i:${Number.parseInt(text.slice(2), 10)}`;
    case "v":
    case "k":
      return normalized.get(text) ?? remember(normalized, text, reprinted(text));
    default:
      throw new Error("unknown path element type");
  }
}

function reprinted(text: string): string {
  const value = JSON.parse(text.slice(2)) as unknown;
  return text[0] === "v" ? valueElement(value) : keyElement(Object.entries(value as object));
}

function formatValue(value: unknown): string {
  return typeof value === "string" ? quoteGo(value) : marshalGo(value);
}

/** `.spec`, `[name="web"]`, `[="a"]`: how error texts show a step. */
export function formatElement(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case "f":
      return `.${rest}`;
    case "v":
      return `[=${formatValue(JSON.parse(rest))}]`;
    case "k": {
      const fields = Object.entries(JSON.parse(rest) as object);
      return `[${fields.map(([name, value]) => `${name}=${formatValue(value)}`).join(",")}]`;
    }
    default:
      return `[${rest}]`;
  }
}

const values = new Map<string, unknown>();

/** What stands behind the lead; nobody writes to it. */
function parsed(element: string): unknown {
  return values.get(element) ?? remember(values, element, JSON.parse(element.slice(2)));
}

const kinds = "fkvi";

/** Fields first, then keys, values, places; each by its own order. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  if (a[0] !== b[0]) return kinds.indexOf(a[0]!) - kinds.indexOf(b[0]!);
  if (a[0] === "f") return a < b ? -1 : 1;
  const left = parsed(a);
  const right = parsed(b);
  return a[0] === "k" ? compareKeys(left as object, right as object) : compareValues(left, right);
}

function compareKeys(a: object, b: object): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const [name, value] = left[i]!;
    const [otherName, otherValue] = right[i]!;
    if (name !== otherName) return name < otherName ? -1 : 1;
    const order = compareValues(value, otherValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const rank = (value: unknown): number => ["number", "string", "boolean"].indexOf(typeof value);

function compareValues(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) return rank(a) - rank(b);
  if (a === b) return 0;
  return (a as string | number) < (b as string | number) ? -1 : 1;
}
