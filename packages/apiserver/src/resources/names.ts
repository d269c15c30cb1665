/**
 * Which strings are names: each rule returns what is wrong with a value, nothing when it is fine.
 *
 * Source  staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go,
 *         pkg/api/validate/content/*.go, pkg/api/validation/{generic,path}.go
 */
export type StringRule = (value: string) => string[];
/** `prefix` says that a generated suffix follows, so that a trailing dash is fine. */
export type NameRule = (name: string, prefix?: boolean) => string[];

export function regexError(message: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`;
  const list = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${list}regex used for validation is '${format}')`;
}

const encoder = new TextEncoder();

/** A name that is null is none. */
export function byteLength(name: string | null): number {
  const text = name ?? "";
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return encoder.encode(text).length;
  }
  return text.length;
}

export const maxLenError = (max: number) => `must be no more than ${max} characters`;
/** What k8s.io/apimachinery/pkg/api/validate/content says in the same case. */
const maxBytesError = (max: number) => `must be no more than ${max} bytes`;
export const rangeError = (min: number, max: number) =>
  `must be between ${min} and ${max}, inclusive`;
export const nonNegativeError = "must be greater than or equal to 0";
export const immutableError = "field is immutable";
const emptyError = "must be non-empty";

const label1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain1123 = `${label1123}(\\.${label1123})*`;
const label1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const wildcard1123 = `\\*\\.${subdomain1123}`;
const labelKey = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValueFormat = `(${labelKey})?`;

const whole = (format: string) => new RegExp(`^(?:${format})$`);
const label1123Pattern = whole(label1123);
const subdomainPattern = whole(subdomain1123);
const label1035Pattern = whole(label1035);
const wildcardPattern = whole(wildcard1123);
const labelKeyPattern = whole(labelKey);
const labelValuePattern = whole(labelValueFormat);

function maskTrailingDash(name: string, prefix: boolean | undefined): string {
  return prefix && name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}

export const dns1123Label: NameRule = (name, prefix) => {
  const value = maskTrailingDash(name, prefix);
  const errors = byteLength(value) > 63 ? [maxLenError(63)] : [];
  if (label1123Pattern.test(value)) return errors;
  if (subdomainPattern.test(value)) return [...errors, "must not contain dots"];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
    "and must start and end with an alphanumeric character";
  return [...errors, regexError(message, label1123, "my-name", "123-abc")];
};

export const dns1123Subdomain: NameRule = (name, prefix) => {
  const value = maskTrailingDash(name, prefix);
  const errors = byteLength(value) > 253 ? [maxLenError(253)] : [];
  if (subdomainPattern.test(value)) return errors;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or " +
    "'.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, subdomain1123, "example.com")];
};

export const dns1035Label: NameRule = (name, prefix) => {
  const value = maskTrailingDash(name, prefix);
  const errors = byteLength(value) > 63 ? [maxLenError(63)] : [];
  if (label1035Pattern.test(value)) return errors;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an " +
    "alphabetic character, and end with an alphanumeric character";
  return [...errors, regexError(message, label1035, "my-name", "abc-123")];
};

export const wildcardDNS1123Subdomain: StringRule = (value) => {
  const errors = byteLength(value) > 253 ? [maxLenError(253)] : [];
  if (wildcardPattern.test(value)) return errors;
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, " +
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an " +
    "alphanumeric character";
  return [...errors, regexError(message, wildcard1123, "*.example.com")];
};

/** What may be one segment of a URL path; RBAC's names need no more. */
export const pathSegment: NameRule = (name, prefix) => {
  if (!prefix && (name === "." || name === "..")) return [`may not be '${name}'`];
  return ["/", "%"].filter((bad) => name.includes(bad)).map((bad) => `may not contain '${bad}'`);
};

const inBytes = (errors: readonly string[], max: number): string[] =>
  errors.map((why) => (why === maxLenError(max) ? maxBytesError(max) : why));

/** A subdomain, as k8s.io/apimachinery/pkg/api/validate says it. */
export const longName: StringRule = (value) => inBytes(dns1123Subdomain(value), 253);

/** The same for kinds that do not look at generateName. */
export const longNameOnly: NameRule = (name, prefix) => (prefix ? [] : longName(name));

/** A label's key: "name" or "dns.prefix/name". */
export const qualifiedName: StringRule = (value) => {
  const slash = value.indexOf("/");
  if (slash < 0) return labelName(value);
  if (value.includes("/", slash + 1)) {
    return [
      `a valid label key ${notALabelName()} with an optional DNS subdomain prefix and '/' ` +
        "(e.g. 'example.com/MyName')",
    ];
  }
  const prefix = value.slice(0, slash);
  const errors = labelName(value.slice(slash + 1));
  if (prefix === "") return [`prefix part ${emptyError}`, ...errors];
  const ofPrefix = dns1123Subdomain(prefix);
  if (ofPrefix.length === 0) return errors;
  return [...inBytes(ofPrefix, 253).map((why) => `prefix part ${why}`), ...errors];
};

function labelName(name: string): string[] {
  const errors: string[] = [];
  if (name === "") errors.push(`name part ${emptyError}`);
  else if (byteLength(name) > 63) errors.push(`name part ${maxBytesError(63)}`);
  if (!labelKeyPattern.test(name)) errors.push(`name part ${notALabelName()}`);
  return errors;
}

const notALabelName = (): string =>
  regexError(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
      "alphanumeric character",
    labelKey,
    "MyName",
    "my.name",
    "123-abc",
  );

export const labelValue: StringRule = (value) => {
  const errors = byteLength(value) > 63 ? [maxBytesError(63)] : [];
  if (labelValuePattern.test(value)) return errors;
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or " +
    "'.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, labelValueFormat, "MyValue", "my_value", "12345")];
};

export const cIdentifier: StringRule = (value) => {
  const format = "[A-Za-z_][A-Za-z0-9_]*";
  if (whole(format).test(value)) return [];
  const message =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of " +
    "alphanumeric characters or '_'";
  return [regexError(message, format, "my_name", "MY_NAME", "MyName")];
};

export const portName: StringRule = (value) => {
  const errors: string[] = [];
  if (value.length > 15) errors.push(maxLenError(15));
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) errors.push("must contain at least one letter (a-z)");
  if (value.includes("--")) errors.push("must not contain consecutive hyphens");
  if (/^-|-$/.test(value)) errors.push("must not begin or end with a hyphen");
  return errors;
};

export function portNumber(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : [rangeError(1, 65535)];
}

/** A user or group id. */
export function idNumber(id: number): string[] {
  return id >= 0 && id <= 2147483647 ? [] : [rangeError(0, 2147483647)];
}

export const percent: StringRule = (value) => {
  if (/^[0-9]+%$/.test(value)) return [];
  const message = "a valid percent string must be a numeric string followed by an ending '%'";
  return [regexError(message, "[0-9]+%", "1%", "93%")];
};

export const httpHeaderName: StringRule = (value) => {
  if (/^[-A-Za-z0-9]+$/.test(value)) return [];
  const message = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [regexError(message, "[-A-Za-z0-9]+", "X-Header-Name")];
};

export const envVarName: StringRule = (value) => {
  const errors: string[] = [];
  if (value === "") errors.push(`environment variable name ${emptyError}`);
  if (/[^ -<>-~]/.test(value)) {
    errors.push(
      "a valid environment variable name must consist only of printable ASCII characters " +
        "other than '='",
    );
  }
  return errors;
};

function changesDirectory(value: string): string[] {
  if (value === ".") return ["must not be '.'"];
  if (value === "..") return ["must not be '..'"];
  if (value.startsWith("..")) return ["must not start with '..'"];
  return [];
}

export const configMapKey: StringRule = (value) => {
  const errors = byteLength(value) > 253 ? [maxLenError(253)] : [];
  const format = "[-._a-zA-Z0-9]+";
  if (!whole(format).test(value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    errors.push(regexError(message, format, "key.name", "KEY_NAME", "key-name"));
  }
  return [...errors, ...changesDirectory(value)];
};
