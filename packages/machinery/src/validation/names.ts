/**
 * Which names and values the API accepts, and what it says of the others.
 *
 * Each function gives the list of complaints, in upstream's words; an empty list means the value
 * is good.
 *
 * Source  k8s.io/apimachinery/pkg/util/validation/validation.go, pkg/api/validate/content
 */

type Check = (value: string) => string[];

const utf8 = new TextEncoder();
const byteLength = (text: string): number => utf8.encode(text).length;

/** `msg (e.g. 'a', or 'b', regex used for validation is '…')`. */
export function regexError(message: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`;
  const listed = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${listed}regex used for validation is '${format}')`;
}

export const maxLengthError = (length: number): string =>
  `must be no more than ${length} characters`;
const maxBytesError = (length: number): string => `must be no more than ${length} bytes`;
export const emptyError = "must be non-empty";
export const inclusiveRangeError = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;

interface Rule {
  format: string;
  message: string;
  examples: string[];
  maxLength?: number;
}

function ruleCheck(rule: Rule, tooLong = maxLengthError): Check {
  const pattern = new RegExp(`^${rule.format}$`);
  return (value) => {
    const errors: string[] = [];
    if (rule.maxLength !== undefined && byteLength(value) > rule.maxLength) {
      errors.push(tooLong(rule.maxLength));
    }
    if (!pattern.test(value)) errors.push(regexError(rule.message, rule.format, ...rule.examples));
    return errors;
  };
}

const labelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const subdomainPattern = new RegExp(`^${subdomainFormat}$`);
const labelPattern = new RegExp(`^${labelFormat}$`);

const subdomainRule: Rule = {
  format: subdomainFormat,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
  maxLength: 253,
};

export const isDNS1123Subdomain: Check = ruleCheck(subdomainRule);
/** The same as the prefix of a label key, where lengths are told in bytes. */
const isDNS1123Prefix: Check = ruleCheck(subdomainRule, maxBytesError);

const underscoreLabel = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";

export const isDNS1123SubdomainWithUnderscore: Check = ruleCheck({
  format: `${underscoreLabel}(\\.${underscoreLabel})*`,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
  maxLength: 253,
});

export function isDNS1123Label(value: string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > 63) errors.push(maxLengthError(63));
  if (!labelPattern.test(value)) {
    if (subdomainPattern.test(value)) errors.push("must not contain dots");
    else {
      const message =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
      errors.push(regexError(message, labelFormat, "my-name", "123-abc"));
    }
  }
  return errors;
}

export const isDNS1035Label: Check = ruleCheck({
  format: "[a-z]([-a-z0-9]*[a-z0-9])?",
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
  maxLength: 63,
});

export const isWildcardDNS1123Subdomain: Check = ruleCheck({
  format: `\\*\\.${subdomainFormat}`,
  message:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  examples: ["*.example.com"],
  maxLength: 253,
});

const keyFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const keyPattern = new RegExp(`^${keyFormat}$`);
const keyError = regexError(
  "must consist of alphanumeric characters, '-', '_' or '.', " +
    "and must start and end with an alphanumeric character",
  keyFormat,
  "MyName",
  "my.name",
  "123-abc",
);

/** Keys of labels and annotations, names of resources: `[prefix/]name`. */
export function isQualifiedName(value: string): string[] {
  const parts = value.split("/");
  if (parts.length > 2) {
    return [
      `a valid label key ${keyError} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const errors: string[] = [];
  const name = parts.at(-1)!;
  if (parts.length === 2) {
    const prefix = parts[0]!;
    if (prefix === "") errors.push(`prefix part ${emptyError}`);
    else errors.push(...isDNS1123Prefix(prefix).map((message) => `prefix part ${message}`));
  }
  if (name === "") errors.push(`name part ${emptyError}`);
  else if (byteLength(name) > 63) errors.push(`name part ${maxBytesError(63)}`);
  if (!keyPattern.test(name)) errors.push(`name part ${keyError}`);
  return errors;
}

export const isValidLabelValue: Check = ruleCheck(
  {
    format: `(${keyFormat})?`,
    message:
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    examples: ["MyValue", "my_value", "12345"],
    maxLength: 63,
  },
  maxBytesError,
);

export const isCIdentifier: Check = ruleCheck({
  format: "[A-Za-z_][A-Za-z0-9_]*",
  message:
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  examples: ["my_name", "MY_NAME", "MyName"],
});

export const isValidPercent: Check = ruleCheck({
  format: "[0-9]+%",
  message: "a valid percent string must be a numeric string followed by an ending '%'",
  examples: ["1%", "93%"],
});

export const isHTTPHeaderName: Check = ruleCheck({
  format: "[-A-Za-z0-9]+",
  message: "a valid HTTP header must consist of alphanumeric characters or '-'",
  examples: ["X-Header-Name"],
});

function dotPrefixErrors(value: string): string[] {
  if (value === ".") return ["must not be '.'"];
  if (value === "..") return ["must not be '..'"];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
}

const envVarName = ruleCheck({
  format: "[-._a-zA-Z][-._a-zA-Z0-9]*",
  message:
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  examples: ["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
});

export function isEnvVarName(value: string): string[] {
  return [...envVarName(value), ...dotPrefixErrors(value)];
}

/** Any printable ASCII but "="; what Pods may use since 1.34. */
export function isRelaxedEnvVarName(value: string): string[] {
  if (value === "") return [`environment variable name ${emptyError}`];
  if (/^[ -<>-~]*$/.test(value)) return [];
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

const configMapKey = ruleCheck({
  format: "[-._a-zA-Z0-9]+",
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
  maxLength: 253,
});

export function isConfigMapKey(value: string): string[] {
  return [...configMapKey(value), ...dotPrefixErrors(value)];
}

export function isInRange(value: number, low: number, high: number): string[] {
  return value >= low && value <= high ? [] : [inclusiveRangeError(low, high)];
}

export const isValidPortNum = (port: number): string[] => isInRange(port, 1, 65535);
export const isValidUserID = (uid: number): string[] => isInRange(uid, 0, 2 ** 31 - 1);
export const isValidGroupID = (gid: number): string[] => isInRange(gid, 0, 2 ** 31 - 1);

export function isValidPortName(port: string): string[] {
  const errors: string[] = [];
  if (byteLength(port) > 15) errors.push(maxLengthError(15));
  if (!/^[-a-z0-9]+$/.test(port)) {
    errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(port)) errors.push("must contain at least one letter (a-z)");
  if (port.includes("--")) errors.push("must not contain consecutive hyphens");
  if (port.startsWith("-") || port.endsWith("-")) {
    errors.push("must not begin or end with a hyphen");
  }
  return errors;
}

/** Names that become a segment of a URL path: most kinds' names at least. */
export function isPathSegmentName(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"]
    .filter((part) => name.includes(part))
    .map((part) => `may not contain '${part}'`);
}
