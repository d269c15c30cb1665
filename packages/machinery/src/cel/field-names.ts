/**
 * Property names as CEL identifiers: `x-y` is `x__dash__y`, `namespace` is `__namespace__`.
 *
 * Source  apiserver pkg/cel/escaping.go
 */
const reserved = new Set(
  (
    "true false null in as break const continue else for function if import let loop package " +
    "namespace return var void while"
  ).split(" "),
);

const escapes: Record<string, string> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** Undefined for a name that has no identifier. */
export function escapeField(name: string): string | undefined {
  if (name === "" || /^[0-9]/u.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  if (/[^a-zA-Z0-9_./-]/u.test(name)) return undefined;
  return name.replace(/__|[-./]/gu, (part) => escapes[part]!);
}

/** The property that an identifier stands for. */
export function unescapeField(identifier: string): string {
  return identifier.replace(/__([^_]+)__/gu, (whole, word: string) => {
    const letter = Object.entries(escapes).find(([, escaped]) => escaped === whole)?.[0];
    return letter ?? (reserved.has(word) ? word : whole);
  });
}
