/**
 * What a writer was told of each object, and whether what the store has agrees with it.
 *
 * Shapes  a line is one of upstream/pins/clients/writers: "create NAME VERSION", "update NAME
 *         VERSION", "delete NAME", "unknown VERB NAME"; an object has one writer, which writes no
 *         more after an unknown write
 */
export interface StoredObject {
  name: string;
  resourceVersion: string;
}

interface Entry {
  /** Of the last acknowledged write; undefined before the first, "" once deleted. */
  version?: string;
  /** The write whose answer is missing. */
  unknown?: string;
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  acknowledged = 0;
  unanswered = 0;

  hear(line: string): void {
    const [verb, ...rest] = line.split(" ");
    if (verb === "unknown") {
      const [write, name] = rest;
      this.#entry(name!).unknown = write!;
      this.unanswered += 1;
      return;
    }
    const [name, version] = rest;
    if (verb === "delete") this.#entry(name!).version = "";
    else if (version === undefined) throw new Error(`no line of a writer: ${line}`);
    else this.#entry(name!).version = version;
    this.acknowledged += 1;
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = {};
      this.#entries.set(name, entry);
    }
    return entry;
  }

  /** Each object that is not as its writer was told, in words. */
  disagreements(objects: readonly StoredObject[]): string[] {
    const stored = new Map(objects.map((object) => [object.name, object.resourceVersion]));
    const found: string[] = [];
    for (const [name, entry] of this.#entries) {
      const problem = problemOf(entry, stored.get(name));
      if (problem !== undefined) found.push(`${name}: ${problem}`);
      stored.delete(name);
    }
    return [...found, ...[...stored.keys()].map((name) => `${name}: nobody wrote it`)];
  }
}

function problemOf({ version, unknown }: Entry, stored: string | undefined): string | undefined {
  if (version === undefined) return undefined; // A creation without an answer: either is right.
  if (version === "") return stored === undefined ? undefined : `deleted, and has ${stored}`;
  if (stored === undefined) {
    return unknown === "delete" ? undefined : `acknowledged at ${version}, and is not there`;
  }
  const isChanged = unknown === "update" && Number(stored) > Number(version);
  return stored === version || isChanged
    ? undefined
    : `acknowledged at ${version}, and has ${stored}`;
}
