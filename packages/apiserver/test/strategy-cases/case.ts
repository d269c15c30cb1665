/** One object through creation, an update and a status update; each step may be refused. */
export type Tree = { [field: string]: unknown };

export interface StrategyCase {
  name: string;
  object: Tree;
  /** Merge patches of the object as created. */
  update?: Tree;
  status?: Tree;
}

/** JSON merge patch (RFC 7396), without null for "remove" inside arrays. */
export function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target);
  const merged: Tree = base ? { ...(target as Tree) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

export const container = (more: Tree = {}): Tree => ({ name: "c", image: "nginx", ...more });

export const podSpec = (more: Tree = {}): Tree => ({ containers: [container()], ...more });

export const object = (apiVersion: string, kind: string, rest: Tree): Tree =>
  merge({ apiVersion, kind, metadata: { name: "x" } }, rest) as Tree;
