/**
 * Does a text without quotes read back as a text? Words, numbers and times of YAML 1.1 do not.
 *
 * Source  sigs.k8s.io/yaml goyaml.v2/{resolve,encode}.go
 */
const words: ReadonlySet<string> = new Set(
  [
    ["", "~", "null", "Null", "NULL", "<<"],
    ["y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO"],
    ["true", "True", "TRUE", "false", "False", "FALSE"],
    ["on", "On", "ON", "off", "Off", "OFF"],
    [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"],
    ["+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"],
  ].flat(),
);

const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const time =
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?$/;

export function isPlainText(text: string): boolean {
  if (words.has(text)) return false;
  if (!/^[-+.0-9]/.test(text)) return true;
  const plain = text.replaceAll("_", "");
  return !(integer.test(plain) || float.test(plain) || sexagesimal.test(text) || time.test(text));
}
