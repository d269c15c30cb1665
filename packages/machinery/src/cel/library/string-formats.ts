/**
 * The `format`s of strings in schemas. An unknown format holds for every text.
 *
 * Source  kube-openapi pkg/validation/strfmt, pkg/internal/third_party/govalidator
 */
import { isDNS1123Label } from "../../validation/names.ts";
import { parseGoDuration } from "./go-time.ts";
import { parseRequestURI } from "./urls.ts";

type Check = (text: string) => boolean;

const matches =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text);

const hostname =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;

function isHostname(text: string): boolean {
  return text.length <= 255 && hostname.test(text) && text.split(".").every((p) => p.length <= 63);
}

const isIPv4: Check = (text) =>
  /^\d{1,3}(\.\d{1,3}){3}$/u.test(text) && text.split(".").every((p) => Number(p) <= 255);

function isIPv6(text: string): boolean {
  if (!text.includes(":")) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  const parts = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  for (const [i, part] of parts.entries()) {
    if (part.includes(".")) {
      if (i !== parts.length - 1 || !isIPv4(part)) return false;
      groups += 2;
    } else if (/^[0-9a-fA-F]{1,4}$/u.test(part)) groups++;
    else return false;
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

function isCIDR(text: string): boolean {
  const found = /^(.*)\/(\d{1,3})$/u.exec(text);
  if (found === null) return false;
  const [, address = "", bits] = found;
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
}

function isISBN10(text: string): boolean {
  const plain = text.replace(/[\s-]+/gu, "");
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/u.test(plain)) return false;
  const sum = [...plain].reduce((all, c, i) => all + (10 - i) * (c === "X" ? 10 : Number(c)), 0);
  return sum % 11 === 0;
}

function isISBN13(text: string): boolean {
  const plain = text.replace(/[\s-]+/gu, "");
  if (!/^[0-9]{13}$/u.test(plain)) return false;
  return [...plain].reduce((all, c, i) => all + (i % 2 === 0 ? 1 : 3) * Number(c), 0) % 10 === 0;
}

const card =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/u;

function isCreditCard(text: string): boolean {
  const plain = text.replace(/[^0-9]+/gu, "");
  if (!card.test(plain)) return false;
  const digits = [...plain].reverse().map(Number);
  const sum = digits.reduce((all, digit, i) => {
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    return all + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

function isDate(text: string): boolean {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/u.exec(text);
  if (found === null) return false;
  const [, year, month, day] = found.map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day!);
  return date.getUTCMonth() === month! - 1 && date.getUTCDate() === day;
}

function isDateTime(text: string): boolean {
  if (text.length < 4) return false;
  const parts = text.toLowerCase().split("t");
  if (parts.length < 2 || !isDate(parts[0]!)) return false;
  const time = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/u.exec(
    parts[1]!,
  );
  if (time === null) return false;
  return Number(time[1]) <= 23 && Number(time[2]) <= 59 && Number(time[3]) <= 59;
}

const wordUnits =
  /^\s*\d+(?:\.\d*)?\s*(?:nano|nanosecond|micro|microsecond|milli|millisecond|second|s|sec|minute|min|m|hour|h|hr|day|d|week|w|wk)s?\s*$/u;

function isDuration(text: string): boolean {
  return parseGoDuration(text) !== undefined || wordUnits.test(text);
}

const uuid = (part3: string, part4: string): Check =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${part3}-?${part4}-?[0-9a-f]{12}$`, "iu"));
const rgb = String.raw`(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])`;

const checks: Readonly<Record<string, Check>> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/u),
  byte: matches(
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/u,
  ),
  cidr: isCIDR,
  creditcard: isCreditCard,
  date: isDate,
  datetime: isDateTime,
  duration: isDuration,
  email: (text) => /^(?:.*<)?\s*[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;\\]+\s*>?\s*$/u.test(text),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/u),
  hostname: isHostname,
  ipv4: isIPv4,
  ipv6: isIPv6,
  isbn: (text) => isISBN10(text) || isISBN13(text),
  isbn10: isISBN10,
  isbn13: isISBN13,
  "k8s-short-name": (text) => isDNS1123Label(text).length === 0,
  mac: matches(
    /^(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$|^[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}$/u,
  ),
  rgbcolor: matches(new RegExp(`^rgb\\(\\s*${rgb}\\s*,\\s*${rgb}\\s*,\\s*${rgb}\\s*\\)$`, "u")),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/u),
  uri: (text) => typeof parseRequestURI(text) !== "string",
  uuid: uuid("[0-9a-f]{4}", "[0-9a-f]{4}"),
  uuid3: uuid("3[0-9a-f]{3}", "[0-9a-f]{4}"),
  uuid4: uuid("4[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
  uuid5: uuid("5[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
};

/** Names are compared without dashes, as upstream's registry does (`date-time` is `datetime`). */
export function validatesFormat(format: string, text: string): boolean {
  const check = checks[format] ?? checks[format.replaceAll("-", "")];
  return check === undefined || check(text);
}
