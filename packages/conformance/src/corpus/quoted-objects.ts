/**
 * Objects that stand quoted in a message (`patch: Invalid value: "{\"apiVersion\":…}": json: …`):
 * the entries of their managedFields stand in the order of times of a second each, which differs
 * by chance. Here they stand in the order of their text.
 */
const quoted = /"\{\\"(?:[^"\\]|\\.)*\}"/g;

export function quotedInOneOrder(text: string): string {
  return text.includes('\\"managedFields\\"') ? text.replaceAll(quoted, ordered) : text;
}

function ordered(found: string): string {
  try {
    const object = JSON.parse(JSON.parse(found) as string) as Quoted;
    const entries = object.metadata?.managedFields;
    if (!Array.isArray(entries)) return found;
    const texts = entries.map((entry) => JSON.stringify(entry)).sort();
    object.metadata!.managedFields = texts.map((entry) => JSON.parse(entry) as unknown);
    return JSON.stringify(JSON.stringify(object));
  } catch {
    // Not JSON: a text that only looks like an object.
    return found;
  }
}

interface Quoted {
  metadata?: { managedFields?: unknown[] };
}
