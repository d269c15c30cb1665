/**
 * `format.dns1123Label().validate(name)`: an optional list of what is wrong.
 *
 * Source  apiserver pkg/cel/library/format.go
 */
import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
} from "../../validation/names.ts";
import { struct } from "../types.ts";
import { CelList, type CelObject, CelOptional, none } from "../values.ts";
import type { Implementation, Library } from "./function.ts";
import { validatesFormat } from "./string-formats.ts";
import { parseRequestURI } from "./urls.ts";

const formatType = struct("kubernetes.NamedFormat");

export class NamedFormat implements CelObject {
  readonly celType = formatType;
  readonly name: string;
  readonly check: (text: string) => string[];
  /** What the cost of a check is reckoned by. */
  readonly regexSize: number;
  constructor(name: string, regexSize: number, check: (text: string) => string[]) {
    this.name = name;
    this.regexSize = regexSize;
    this.check = check;
  }
  equalTo(other: CelObject): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }
}

/** A name that something will be appended to may end with a dash. */
const asPrefix = (check: (text: string) => string[]) => (text: string) =>
  check(text.endsWith("-") ? `${text.slice(0, -1)}a` : text);

const valid = (format: string, why: string) => (text: string) =>
  validatesFormat(format, text) ? [] : [why];

function uriErrors(text: string): string[] {
  const parsed = parseRequestURI(text);
  return typeof parsed === "string" ? [parsed] : [];
}

const uuidPatternSize = 70;
const dateTimePatternSize = 70;

const formats = new Map<string, NamedFormat>(
  (
    [
      ["dns1123Label", "DNS1123Label", 30, isDNS1123Label],
      ["dns1123Subdomain", "DNS1123Subdomain", 60, isDNS1123Subdomain],
      ["dns1035Label", "DNS1035Label", 30, isDNS1035Label],
      ["qualifiedName", "QualifiedName", 60, isQualifiedName],
      ["dns1123LabelPrefix", "DNS1123LabelPrefix", 30, asPrefix(isDNS1123Label)],
      ["dns1123SubdomainPrefix", "DNS1123SubdomainPrefix", 60, asPrefix(isDNS1123Subdomain)],
      ["dns1035LabelPrefix", "DNS1035LabelPrefix", 30, asPrefix(isDNS1035Label)],
      ["labelValue", "LabelValue", 40, isValidLabelValue],
      ["uri", "URI", 1103, uriErrors],
      ["uuid", "uuid", uuidPatternSize, valid("uuid", "does not match the UUID format")],
      ["byte", "byte", 84, valid("byte", "invalid base64")],
      ["date", "date", dateTimePatternSize, valid("date", "invalid date")],
      ["datetime", "datetime", dateTimePatternSize, valid("datetime", "invalid datetime")],
    ] as const
  ).map(([key, name, size, check]) => [
    key,
    new NamedFormat(name, size, (text) => [...check(text)]),
  ]),
);

const constants: Record<string, Implementation> = {};
for (const [key, format] of formats) constants[`format.${key}`] = () => format;

export const namedFormats: Library = {
  ...constants,
  "format.named"(name) {
    if (typeof name !== "string") return undefined;
    const format = formats.get(name);
    return format === undefined ? none : new CelOptional(format);
  },
  validate(format, text) {
    if (!(format instanceof NamedFormat) || typeof text !== "string") return undefined;
    const errors = format.check(text);
    return errors.length === 0 ? none : new CelOptional(new CelList(errors));
  },
};
