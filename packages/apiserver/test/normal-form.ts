/**
 * OpenAPI documents in a form in which two servers can be compared: no prose, references to shared
 * parameters resolved, keys in order, and an allOf of one alone written as what it holds.
 */
export type JSONValue =
  | string
  | number
  | boolean
  | null
  | readonly JSONValue[]
  | { readonly [key: string]: JSONValue };

type JSONObject = { readonly [key: string]: JSONValue };

const unordered = new Set(["enum", "required"]);
const shared = "#/parameters/";

function isObject(value: JSONValue | undefined): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function normalForm(value: JSONValue, whole: JSONValue = value, key = ""): JSONValue {
  if (Array.isArray(value)) {
    const items = value.map((item) => normalForm(item, whole));
    return unordered.has(key) ? items.sort() : items;
  }
  if (!isObject(value)) return value;
  if (typeof value.$ref === "string" && value.$ref.startsWith(shared) && isObject(whole)) {
    const parameters = whole.parameters;
    const found = isObject(parameters) ? parameters[value.$ref.slice(shared.length)] : undefined;
    return normalForm(found ?? null, whole);
  }
  const members = Object.entries(value)
    .filter(([name, member]) => name !== "description" || typeof member !== "string")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]): [string, JSONValue] => [name, normalForm(member, whole, name)]);
  const [first] = members;
  const alone = members.length === 1 && first?.[0] === "allOf" ? first[1] : undefined;
  if (Array.isArray(alone) && alone.length === 1) return alone[0] ?? null;
  return Object.fromEntries(members);
}

/** Paths at which two documents differ, with both values, at most `limit` of them. */
export function differences(
  ours: JSONValue | undefined,
  theirs: JSONValue | undefined,
  at = "",
  found: string[] = [],
  limit = 20,
): string[] {
  if (found.length >= limit || JSON.stringify(ours) === JSON.stringify(theirs)) return found;
  const branches =
    (isObject(ours) && isObject(theirs)) || (Array.isArray(ours) && Array.isArray(theirs));
  if (!branches) {
    const show = (value: JSONValue | undefined) =>
      (JSON.stringify(value) ?? "nothing").slice(0, 200);
    found.push(`${at}: ours ${show(ours)}, upstream's ${show(theirs)}`);
    return found;
  }
  const [a, b] = [ours as JSONObject, theirs as JSONObject];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    differences(a[key], b[key], `${at} ${key}`, found, limit);
  }
  return found;
}
