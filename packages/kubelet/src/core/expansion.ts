/**
 * `$(VAR)` in commands, arguments, values and sub-paths.
 *
 * `$$` is a literal dollar; a reference to an unknown variable stays as it was written.
 * Source  third_party/forked/golang/expansion/expand.go
 */

/** Replaces the references; `unknown` is called with each name that has no value. */
export function expand(
  text: string,
  lookup: (name: string) => string | undefined,
  unknown?: (name: string) => void,
): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0 || dollar === text.length - 1) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1]!;
    if (next === "$") {
      out += "$";
      at = dollar + 2;
      continue;
    }
    const end = next === "(" ? text.indexOf(")", dollar + 2) : -1;
    if (end < 0) {
      out += `$${next}`;
      at = dollar + 2;
      continue;
    }
    const name = text.slice(dollar + 2, end);
    const value = lookup(name);
    if (value === undefined) unknown?.(name);
    out += value ?? `$(${name})`;
    at = end + 1;
  }
  return out;
}
