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

export const fieldElement = (name: string): string => `f:${name}`;
export const valueElement = (value: unknown): string => `v:${marshalGo(value)}`;

export function keyElement(fields: readonly (readonly [string, unknown])[]): string {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const members = sorted.map(([name, value]) => `${JSON.stringify(name)}:${marshalGo(value)}`);
  return `k:{${members.join(",")}}`;
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
      return valueElement(JSON.parse(text.slice(2)));
    case "k":
      return keyElement(Object.entries(JSON.parse(text.slice(2)) as object));
    default:
      throw new Error("unknown path element type");
  }
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

const kinds = "fkvi";

/** Fields first, then keys, values, places; each by its own order. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  if (a[0] !== b[0]) return kinds.indexOf(a[0]!) - kinds.indexOf(b[0]!);
  if (a[0] === "f") return a < b ? -1 : 1;
  const left = JSON.parse(a.slice(2)) as unknown;
  const right = JSON.parse(b.slice(2)) as unknown;
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
