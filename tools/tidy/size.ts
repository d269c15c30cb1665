/**
 * Sizes: lines of a file, lines of a function, columns of a line.
 *
 * Functions are found by the TypeScript parser of the documentation tools, which still has an API.
 */
import { createRequire } from "node:module";
import type ts from "typescript";
import type { Source } from "./sources.ts";

const require = createRequire(new URL("../docs/package.json", import.meta.url));

export const fileLinesMax = 400;
export const functionLinesMax = 70;
export const columnsMax = 100;

export function longFiles(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text, isTest, isGenerated }) => {
    const lines = text.split("\n").length - 1;
    return lines > fileLinesMax && !isTest && !isGenerated ? [`${path}: ${lines} lines`] : [];
  });
}

/** A line that holds one long literal cannot be broken without being harder to search for. */
const isLiteral = (line: string) =>
  /["'`/][^"'`]{60,}["'`/]/.test(line) ||
  /^\s*(?:return |\w+: )?(["'`/]).{60,}\1[gmsu]*[,;)]*$/.test(line) ||
  /https?:\/\//.test(line);

export function wideLines(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text, isTest, isGenerated }) => {
    if (isTest || isGenerated) return [];
    return text
      .split("\n")
      .flatMap((line, i) =>
        line.length > columnsMax && !isLiteral(line) ? [`${path}:${i + 1}: ${line.length}`] : [],
      );
  });
}

export function longFunctions(sources: readonly Source[]): string[] {
  const compiler = require("typescript") as typeof ts;
  const found: string[] = [];
  for (const { path, text, isTest, isGenerated } of sources) {
    if (isTest || isGenerated) continue;
    const file = compiler.createSourceFile(path, text, compiler.ScriptTarget.Latest, true);
    const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line;
    // Lines of a function's own: what it hands out as functions is counted with those.
    const linesOf = (node: ts.Node): number => lineOf(node.end) - lineOf(node.getStart()) + 1;
    const nested = (node: ts.Node): number => {
      let lines = 0;
      compiler.forEachChild(node, (child) => {
        const inner = compiler.isFunctionLike(child) && linesOf(child) > 1;
        lines += inner ? linesOf(child) - 1 : nested(child);
      });
      return lines;
    };
    const visit = (node: ts.Node) => {
      const body = compiler.isFunctionLike(node)
        ? (node as ts.FunctionLikeDeclaration).body
        : undefined;
      if (body !== undefined) {
        const lines = linesOf(node) - nested(node);
        if (lines > functionLinesMax)
          found.push(`${path}:${lineOf(node.getStart()) + 1}: ${lines}`);
      }
      compiler.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}
