/**
 * Writes a small value as block YAML, as gnostic keeps extensions: "group: apps\nkind: Scale\n".
 *
 * Strings stand plain where they can; in single quotes when they hold signs that YAML uses; in
 * JSON's quotes when they read as something else ("true", "") or are not printable.
 */
/** Reads as something else than text: a truth, nothing, a number, a date. */
const otherwise = /^(?:|~|true|false|null|[-+]?\.inf|\.nan|<<|[-+.]?\d[\w.:+-]*)$/i;
/** Signs that begin something else, or end a plain text before its end. */
const signs = /^[-?:](?:\s|$)|^[\s,[\]{}#&*!|>'"%@`]|:(?:\s|$)|\s#|\s$/;

function scalar(value: unknown): string {
  if (typeof value !== "string" || otherwise.test(value) || /[^ -~]/.test(value)) {
    return JSON.stringify(value);
  }
  return signs.test(value) ? `'${value.replaceAll("'", "''")}'` : value;
}

function isCollection(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function lines(value: unknown): string[] {
  if (!isCollection(value)) return [scalar(value)];
  const indent = (line: string) => `  ${line}`;
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const [first = "", ...rest] = lines(item);
      return [`- ${first}`, ...rest.map(indent)];
    });
  }
  return Object.entries(value).flatMap(([key, member]) =>
    isCollection(member)
      ? [`${scalar(key)}:`, ...lines(member).map(Array.isArray(member) ? (l) => l : indent)]
      : [`${scalar(key)}: ${scalar(member)}`],
  );
}

export function toYAML(value: unknown): string {
  return `${lines(value).join("\n")}\n`;
}
