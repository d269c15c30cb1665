/**
 * Merges an applied configuration into the live object: the configuration wins where it says
 * something, list items are matched by their keys and keep the configuration's order among
 * themselves.
 *
 * Source  sigs.k8s.io/structured-merge-diff/v6 typed/merge.go
 */
import { deepClone, isPlainObject, setMember } from "../json-tree.ts";
import {
  type ApplySchema,
  type ListSchema,
  type MapSchema,
  resolveSchema,
} from "./apply-schema.ts";
import { formatElement } from "./path-element.ts";
import { childSchema, itemElement, type Tree, TypedTreeError } from "./typed-tree.ts";

/** undefined when nothing is left. */
export function mergeTrees(live: unknown, config: unknown, declared: ApplySchema): unknown {
  const schema = resolveSchema(declared, config ?? live);
  const hollow = isHollow(live) && isHollow(config);
  if (schema.kind === "map" && !schema.atomic && !hollow) return mergeMaps(live, config, schema);
  if (schema.kind === "list" && schema.relation !== "atomic" && !hollow) {
    return mergeLists(live, config, schema);
  }
  return deepClone(config === undefined ? live : config);
}

function isHollow(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return !isPlainObject(value) || Object.keys(value).length === 0;
}

function mergeMaps(live: unknown, config: unknown, schema: MapSchema): unknown {
  const left = isPlainObject(live) ? live : {};
  const right = isPlainObject(config) ? config : {};
  const out: Tree = {};
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const l = Object.hasOwn(left, key) ? left[key] : undefined;
    const r = Object.hasOwn(right, key) ? right[key] : undefined;
    if (l === undefined && r === undefined) continue;
    const merged = mergeTrees(l, r, childSchema(schema, key));
    if (merged !== undefined) setMember(out, key, merged);
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

interface Indexed {
  elements: string[];
  items: unknown[];
  byElement: Map<string, unknown>;
}

function index(list: unknown, schema: ListSchema, allowDuplicates: boolean): Indexed {
  const items = Array.isArray(list) ? list : [];
  const byElement = new Map<string, unknown>();
  const elements = items.map((item) => {
    const element = itemElement(schema, item);
    if (byElement.has(element)) {
      if (!allowDuplicates) {
        throw new TypedTreeError(`duplicate entries for key ${formatElement(element)}`);
      }
      byElement.set(element, null);
    } else {
      byElement.set(element, item);
    }
    return element;
  });
  return { elements, items, byElement };
}

function mergeLists(live: unknown, config: unknown, schema: ListSchema): unknown {
  const right = index(config, schema, false);
  const left = index(live, schema, true);
  const shared = right.elements.filter((element) => left.byElement.has(element));
  const mergedRight = new Set<string>();
  const out: unknown[] = [];
  const push = (l: unknown, r: unknown): void => {
    const merged = mergeTrees(l, r, schema.item);
    if (merged !== undefined) out.push(merged);
  };
  const takeRight = (element: string): void => {
    mergedRight.add(element);
    push(left.byElement.get(element), right.byElement.get(element));
  };

  let l = 0;
  let r = 0;
  while (l < left.elements.length || r < right.elements.length) {
    const leftElement = left.elements[l];
    const rightElement = right.elements[r];
    if (leftElement !== undefined && rightElement !== undefined) {
      if (leftElement === rightElement) {
        takeRight(leftElement);
        l++;
        r++;
        shared.shift();
        continue;
      }
      const comesLater = shared.length > 0 && shared[0] !== leftElement;
      if (right.byElement.has(leftElement) && comesLater) {
        l++;
        continue;
      }
    }
    if (leftElement !== undefined) {
      if (!right.byElement.has(leftElement)) {
        push(left.items[l], undefined);
        l++;
        continue;
      }
      if (mergedRight.has(leftElement)) l++;
    }
    if (rightElement !== undefined) {
      takeRight(rightElement);
      r++;
      if (shared[0] === rightElement) shared.shift();
    }
  }
  return out.length > 0 ? out : undefined;
}
