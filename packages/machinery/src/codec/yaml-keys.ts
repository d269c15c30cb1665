/**
 * The order of keys in Go's YAML: letters behind everything else, numbers by their value.
 *
 * Source  sigs.k8s.io/yaml goyaml.v2/sorter.go keyList.Less
 */
const letter = /\p{L}/u;
const digit = /\p{Nd}/u;

interface Run {
  value: number;
  end: number;
}

/** The number whose digits begin at `start`. */
function numberAt(text: readonly string[], start: number, first: number): Run {
  let value = first;
  let end = start;
  while (end < text.length && digit.test(text[end]!)) value = value * 10 + Number(text[end++]);
  return { value, end };
}

/** 1 when a digit before `i` belongs to the same number and is none of its leading zeros. */
function carried(text: readonly string[], i: number): number {
  for (let j = i - 1; j >= 0 && digit.test(text[j]!); j--) if (text[j] !== "0") return 1;
  return 0;
}

/** Negative when `a` stands before `b`. */
export function followsKey(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const [mine, other] = [left[i]!, right[i]!];
    if (mine === other) continue;
    const [isLetter, isOther] = [letter.test(mine), letter.test(other)];
    const byCode = mine.codePointAt(0)! - other.codePointAt(0)!;
    if (isLetter && isOther) return byCode;
    if (isLetter || isOther) return isOther ? -1 : 1;
    const first = mine === "0" || other === "0" ? carried(left, i) : 0;
    const [one, two] = [numberAt(left, i, first), numberAt(right, i, first)];
    return one.value - two.value || one.end - two.end || byCode;
  }
  return left.length - right.length;
}
