/**
 * Random sequences of server-side apply, the same for ever: several managers apply, update, patch,
 * scale, write the status of one object, take fields from each other and let them go.
 */
import {
  applyPatch,
  type CorpusCase,
  type CorpusGroup,
  hashOf,
  mergePatch,
  strategicPatch,
  type Tree,
} from "../corpus-case.ts";
import type { Appliable, Fragment, Pick } from "./fragments.ts";
import { appliables } from "./kinds.ts";

const sequencesPerKind = 26;
const steps = 8;
const managers = ["one", "two", "three"] as const;

/** mulberry32 */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const keys = ["name", "containerPort", "uid", "port", "topologyKey", "type"] as const;
const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const keyOf = (item: unknown): unknown =>
  isTree(item) ? keys.map((key) => item[key]).find((value) => value !== undefined) : item;

/** Configurations become one: lists of named items item by item. */
function combined(a: unknown, b: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b)) {
    const left = (b as unknown[]).filter((item) => !a.some((one) => keyOf(one) === keyOf(item)));
    const both = a.map((item: unknown) => {
      const twin = b.find((one) => keyOf(one) === keyOf(item)) as unknown;
      return twin === undefined ? item : combined(item, twin);
    });
    return [...both, ...left];
  }
  if (!isTree(a) || !isTree(b)) return b;
  const result: Tree = { ...a };
  for (const [key, value] of Object.entries(b)) {
    result[key] = Object.hasOwn(a, key) ? combined(a[key], value) : value;
  }
  return result;
}

class Sequence {
  readonly cases: CorpusCase[] = [];
  readonly #kind: Appliable;
  readonly #path: string;
  readonly #name: string;
  readonly #next: () => number;

  constructor(kind: Appliable, all: string, name: string) {
    this.#kind = kind;
    this.#path = `${all}/${name}`;
    this.#name = name;
    this.#next = numbers(hashOf(`${kind.plural} ${name}`));
  }

  readonly #pick: Pick = (list) => list[Math.floor(this.#next() * list.length)]!;

  #configuration(withBase: boolean): Tree {
    const { apiVersion, kind, base, fragments } = this.#kind;
    const count = 1 + Math.floor(this.#next() * 4);
    let tree: Tree = { apiVersion, kind, metadata: { name: this.#name } };
    if (withBase) tree = combined(tree, base) as Tree;
    for (let i = 0; i < count; i++) {
      const fragment: Fragment = this.#pick(fragments);
      tree = combined(tree, fragment(this.#pick)) as Tree;
    }
    return tree;
  }

  #add(what: string, one: Omit<CorpusCase, "name">): void {
    this.cases.push({ name: `${this.#name} ${this.cases.length + 1}: ${what}`, ...one });
  }

  #apply(withBase: boolean): void {
    const manager = this.#pick(managers);
    const force = this.#next() < 0.4;
    const query = `?fieldManager=${manager}${force ? "&force=true" : ""}`;
    this.#add(`${manager} applies${force ? ", forced" : ""}`, {
      method: "PATCH",
      path: this.#path + query,
      body: this.#configuration(withBase),
      headers: applyPatch,
    });
  }

  #change(): void {
    const headers = this.#next() < 0.5 ? mergePatch : strategicPatch;
    const manager = this.#pick(["updater", "one"]);
    this.#add(`${manager} patches`, {
      method: "PATCH",
      path: `${this.#path}?fieldManager=${manager}`,
      body: this.#pick(this.#kind.patches)(this.#pick),
      headers,
    });
  }

  #writeStatus(status: Fragment): void {
    const { apiVersion, kind } = this.#kind;
    const applies = this.#next() < 0.5;
    const body: Tree = { ...status(this.#pick), ...(applies ? { apiVersion, kind } : {}) };
    this.#add(applies ? "status applied" : "status patched", {
      method: "PATCH",
      path: `${this.#path}/status?fieldManager=controller${applies ? "&force=true" : ""}`,
      body,
      headers: applies ? applyPatch : mergePatch,
    });
  }

  #scale(): void {
    this.#add("scaled", {
      method: "PATCH",
      path: `${this.#path}/scale?fieldManager=scaler`,
      body: { spec: { replicas: this.#pick([1, 4]) } },
      headers: mergePatch,
    });
  }

  /** Begun by kubectl's own apply, which leaves an annotation, and taken over by the server's. */
  #beginOnClientSide(all: string): void {
    const object = this.#configuration(true);
    const note = {
      "kubectl.kubernetes.io/last-applied-configuration": `${JSON.stringify(object)}\n`,
    };
    this.#add("created by kubectl apply", {
      method: "POST",
      path: `${all}?fieldManager=kubectl-client-side-apply`,
      body: combined(object, { metadata: { annotations: note } }),
    });
    this.#add("kubectl applies on the server", {
      method: "PATCH",
      path: `${this.#path}?fieldManager=kubectl`,
      body: combined(object, this.#configuration(true)),
      headers: applyPatch,
    });
  }

  run(all: string, index: number): void {
    if (index % 5 === 4) this.#beginOnClientSide(all);
    else this.#apply(true);
    while (this.cases.length < steps) {
      const chance = this.#next();
      if (chance < 0.6) this.#apply(this.#next() < 0.7);
      else if (chance < 0.75) this.#change();
      else if (chance < 0.9 && this.#kind.status) this.#writeStatus(this.#kind.status);
      else if (this.#kind.scales) this.#scale();
      else this.#change();
    }
    this.#add("as it is now", { method: "GET", path: this.#path });
  }
}

function groupOf(kind: Appliable): CorpusGroup {
  const namespace = `apply-${kind.plural}`;
  const root = kind.apiVersion.includes("/") ? "/apis" : "/api";
  const all = `${root}/${kind.apiVersion}/namespaces/${namespace}/${kind.plural}`;
  const cases: CorpusCase[] = [
    {
      name: "its namespace",
      method: "POST",
      path: "/api/v1/namespaces",
      body: { metadata: { name: namespace } },
    },
    {
      name: "its service account",
      method: "POST",
      path: `/api/v1/namespaces/${namespace}/serviceaccounts`,
      body: { metadata: { name: "default" } },
    },
  ];
  for (let i = 0; i < sequencesPerKind; i++) {
    const sequence = new Sequence(kind, all, `s${i}`);
    sequence.run(all, i);
    cases.push(...sequence.cases);
  }
  return { name: `apply/${kind.plural}`, cases };
}

export const applyGroups = (): CorpusGroup[] => appliables.map(groupOf);
