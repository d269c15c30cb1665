/**
 * What Go's reader refuses in a document whose syntax is right: a map or list as a key, an alias
 * of nothing or of what it stands in, binary data that is none.
 *
 * It is looked for before values are made: the library writes a key that is a map as text, which
 * takes minutes for a thousand keys in keys.
 *
 * Source  sigs.k8s.io/yaml goyaml.v2/decode.go
 */
import { isAlias, isCollection, isMap, isPair, isScalar, type Pair } from "yaml";
import { quoteGo } from "../go-text.ts";

/** How deep a key is shown; the rest is left out. */
const shownDepth = 20;

/** A node, or the end of one that has a name. */
type Step = { node: unknown } | { endOf: string };

interface Walk {
  /** What is still to be looked at, the next one last. */
  steps: Step[];
  /** Named nodes until here. */
  anchors: Map<string, unknown>;
  /** Names of the nodes that we are inside of. */
  open: Set<string>;
}

/** The first problem of the document with these contents, in Go's words. */
export function yamlProblem(contents: unknown): string | undefined {
  const walk: Walk = { steps: [{ node: contents }], anchors: new Map(), open: new Set() };
  for (let step = walk.steps.pop(); step !== undefined; step = walk.steps.pop()) {
    if ("endOf" in step) {
      walk.open.delete(step.endOf);
      continue;
    }
    const problem = lookAt(step.node, walk);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function lookAt(node: unknown, walk: Walk): string | undefined {
  if (isAlias(node)) {
    if (!walk.anchors.has(node.source)) return `unknown anchor '${node.source}' referenced`;
    return walk.open.has(node.source) ? `anchor '${node.source}' value contains itself` : undefined;
  }
  if (isPair(node)) return lookAtPair(node, walk);
  if (isScalar(node)) {
    if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
    const isBinary = node.value instanceof Uint8Array;
    return isBinary && !isBase64(node.source ?? "")
      ? "!!binary value contains invalid base64 data"
      : undefined;
  }
  if (!isCollection(node)) return undefined;
  if (node.anchor !== undefined) {
    walk.anchors.set(node.anchor, node);
    walk.open.add(node.anchor);
    walk.steps.push({ endOf: node.anchor });
  }
  for (const item of node.items.toReversed()) walk.steps.push({ node: item });
  return undefined;
}

function lookAtPair({ key, value }: Pair, walk: Walk): string | undefined {
  const meant = isAlias(key) ? walk.anchors.get(key.source) : key;
  if (isCollection(meant)) return `invalid map key: ${goSyntax(innermost(meant), shownDepth)}`;
  walk.steps.push({ node: value }, { node: key });
  return undefined;
}

/** Keys are read before what they are keys of: one in a key is told first. */
function innermost(key: unknown): unknown {
  let found = key;
  for (;;) {
    const inner = isMap(found) ? found.items.find((pair) => isCollection(pair.key)) : undefined;
    if (inner === undefined) return found;
    found = inner.key;
  }
}

/** With the padding that Go asks for; line ends do not count. */
function isBase64(source: string): boolean {
  const text = source.replace(/[\r\n]/g, "");
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** fmt's %#v of what Go's reader makes of a node. */
function goSyntax(node: unknown, depth: number): string {
  if (isScalar(node)) {
    if (node.value === null) return "interface {}(nil)";
    return typeof node.value === "string" ? quoteGo(node.value) : String(node.value);
  }
  if (!isCollection(node) || depth === 0) return "interface {}(nil)";
  const items = node.items.map((item) => {
    if (!isPair(item)) return goSyntax(item, depth - 1);
    return `${goSyntax(item.key, depth - 1)}:${goSyntax(item.value, depth - 1)}`;
  });
  const type = isMap(node) ? "map[interface {}]interface {}" : "[]interface {}";
  return `${type}{${items.join(", ")}}`;
}
