/**
 * Import cycles among the files of one package, type imports aside (they are gone at run time).
 */
import { resolveImport, type Source } from "./sources.ts";

export function importCycles(sources: readonly Source[]): string[][] {
  const graph = new Map<string, string[]>();
  for (const source of sources) {
    const targets = source.imports
      .filter(({ typeOnly }) => !typeOnly)
      .flatMap(({ specifier }) => resolveImport(source, specifier) ?? []);
    graph.set(source.path, targets);
  }
  const done = new Set<string>();
  const cycles: string[][] = [];
  const walk = (path: string, trail: string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      cycles.push([...trail.slice(at), path]);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return cycles;
}
