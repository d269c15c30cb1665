/**
 * Objects that stand quoted in a message (`patch: Invalid value: "{\"apiVersion\":…}": json: …`):
 * the entries of their managedFields stand in the order of times of a second each, which differs
 * by chance. Here they stand in the order of their text, and what a server picks itself (a node
 * port, the id of the caller's certificate) is a word or gone.
 */
const quoted = /"\{\\"(?:[^"\\]|\\.)*\}"/g;

export function quotedInOneOrder(text: string, sent: string): string {
  if (!text.includes('\\"managedFields\\"')) return text;
  return text.replaceAll(quoted, (found) => ordered(found, sent));
}

function ordered(found: string, sent: string): string {
  try {
    const object = JSON.parse(JSON.parse(found) as string) as Quoted;
    const entries = object.metadata?.managedFields;
    if (!Array.isArray(entries)) return found;
    const texts = entries.map((entry) => JSON.stringify(entry)).sort();
    object.metadata!.managedFields = texts.map((entry) => JSON.parse(entry) as unknown);
    const { spec } = object;
    for (const port of spec?.ports ?? []) {
      if (isPicked(port.nodePort, sent)) port.nodePort = "<port>";
    }
    if (isPicked(spec?.healthCheckNodePort, sent)) spec!.healthCheckNodePort = "<port>";
    if (spec?.extra !== undefined && credential in spec.extra) delete spec.extra;
    return JSON.stringify(JSON.stringify(object));
  } catch {
    // Not JSON: a text that only looks like an object.
    return found;
  }
}

const credential = "authentication.kubernetes.io/credential-id";

const isPicked = (port: unknown, sent: string): boolean =>
  typeof port === "number" && port >= 30000 && port < 33000 && !sent.includes(String(port));

interface Quoted {
  metadata?: { managedFields?: unknown[] };
  spec?: {
    ports?: { nodePort?: unknown }[];
    healthCheckNodePort?: unknown;
    extra?: Record<string, unknown>;
  };
}
