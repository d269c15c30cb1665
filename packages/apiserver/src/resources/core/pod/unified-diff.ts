/**
 * What changed between two JSON values, as a unified diff with three lines of context.
 *
 * Source  staging/src/k8s.io/apimachinery/pkg/util/diff/diff.go
 */
import { internalTree } from "@nanokube/machinery";

interface Line {
  mark: " " | "-" | "+";
  text: string;
}

/** Longest common subsequence by lines; specs are small. */
function align(a: readonly string[], b: readonly string[]): Line[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [down, right] = [lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!];
      lengths[i * width + j] =
        a[i] === b[j] ? lengths[(i + 1) * width + j + 1]! + 1 : Math.max(down, right);
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: " ", text: a[i]! });
      i++;
      j++;
    } else if (
      j >= b.length ||
      (i < a.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)
    ) {
      lines.push({ mark: "-", text: a[i++]! });
    } else {
      lines.push({ mark: "+", text: b[j++]! });
    }
  }
  return lines;
}

/** The same of two values of a type, in the form in which upstream validates them. */
export function typedDiff(typeName: string, from: object, to: object): string {
  return unifiedDiff(internalTree(typeName, from), internalTree(typeName, to));
}

export function unifiedDiff(from: unknown, to: unknown): string {
  const context = 3;
  const texts = [from, to].map((value) => JSON.stringify(value, null, 1).split("\n"));
  const lines = align(texts[0]!, texts[1]!);
  const near = (at: number) =>
    lines.slice(Math.max(0, at - context), at + context + 1).some((line) => line.mark !== " ");
  let out = "";
  let [before, after] = [1, 1];
  for (let at = 0; at < lines.length; ) {
    if (!near(at)) {
      at++;
      before++;
      after++;
      continue;
    }
    const start = at;
    while (at < lines.length && near(at)) at++;
    const hunk = lines.slice(start, at);
    const old = hunk.filter((line) => line.mark !== "+").length;
    const fresh = hunk.filter((line) => line.mark !== "-").length;
    out += `@@ -${before},${old} +${after},${fresh} @@\n`;
    out += hunk.map((line) => `${line.mark}${line.text}\n`).join("");
    before += old;
    after += fresh;
  }
  return out;
}
