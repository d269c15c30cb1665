/**
 * Quantities (`quantity("1.5Gi")`) and semantic versions.
 *
 * Source  apiserver pkg/cel/library/{quantity,semverlib}.go, blang/semver
 */
import { parseQuantity, type Quantity, quantityOf } from "../../quantity/quantity.ts";
import { struct } from "../types.ts";
import { CelError, type CelObject, type Value } from "../values.ts";
import type { Implementation, Library } from "./function.ts";

const quantityType = struct("kubernetes.Quantity");
const semverType = struct("kubernetes.Semver");

export class CelQuantity implements CelObject {
  readonly celType = quantityType;
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
  equalTo(other: CelObject): boolean {
    return other instanceof CelQuantity && other.quantity.cmp(this.quantity) === 0;
  }
}

function read(text: string): CelQuantity | CelError {
  try {
    return new CelQuantity(parseQuantity(text));
  } catch (error) {
    return new CelError((error as Error).message);
  }
}

/** The whole number that a quantity is; undefined when it is none, or too large. */
function wholeOf(quantity: Quantity): bigint | undefined {
  const units = quantity.scaledValue(0);
  if (quantityOf(units).cmp(quantity) !== 0) return undefined;
  return BigInt.asIntN(64, units) === units ? units : undefined;
}

export interface Version {
  numbers: readonly [bigint, bigint, bigint];
  pre: readonly string[];
  build: readonly string[];
}

export class CelSemver implements CelObject {
  readonly celType = semverType;
  readonly version: Version;
  constructor(version: Version) {
    this.version = version;
  }
  equalTo(other: CelObject): boolean {
    return other instanceof CelSemver && compareVersions(this.version, other.version) === 0;
  }
}

function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length);
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    const [xNumber, yNumber] = [/^\d+$/u.test(x), /^\d+$/u.test(y)];
    if (xNumber && yNumber) return BigInt(x) < BigInt(y) ? -1 : 1;
    if (xNumber !== yNumber) return xNumber ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

function compareVersions(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1;
  }
  return comparePre(a.pre, b.pre);
}

const wrong = (why: string) => new CelError(why);
const quoted = JSON.stringify;

function parseSemver(text: string): CelSemver | CelError {
  if (text === "") return wrong("Version string empty");
  const [head = "", ...more] = text.split(".");
  const minor = more[0];
  const rest = more.slice(1).join(".");
  if (minor === undefined || more.length < 2) return wrong("No Major.Minor.Patch elements found");
  const number = (part: string, name: string): bigint | CelError => {
    if (!/^\d+$/u.test(part))
      return wrong(`Invalid character(s) found in ${name} number ${quoted(part)}`);
    if (part.length > 1 && part[0] === "0") {
      const Name = name[0]!.toUpperCase() + name.slice(1);
      return wrong(`${Name} number must not contain leading zeroes ${quoted(part)}`);
    }
    return BigInt(part);
  };
  const major = number(head, "major");
  if (major instanceof CelError) return major;
  const minorNumber = number(minor, "minor");
  if (minorNumber instanceof CelError) return minorNumber;
  const plus = rest.indexOf("+");
  const build = plus < 0 ? [] : rest.slice(plus + 1).split(".");
  const core = plus < 0 ? rest : rest.slice(0, plus);
  const dash = core.indexOf("-");
  const pre = dash < 0 ? [] : core.slice(dash + 1).split(".");
  const patch = number(dash < 0 ? core : core.slice(0, dash), "patch");
  if (patch instanceof CelError) return patch;
  for (const part of pre) {
    if (part === "") return wrong("Prerelease is empty");
    if (!/^[0-9A-Za-z-]+$/u.test(part))
      return wrong(`Invalid character(s) found in prerelease ${quoted(part)}`);
    if (/^0\d+$/u.test(part)) {
      return wrong(`Numeric PreRelease version must not contain leading zeroes ${quoted(part)}`);
    }
  }
  for (const part of build) {
    if (part === "") return wrong("Build meta data is empty");
    if (!/^[0-9A-Za-z-]+$/u.test(part)) {
      return wrong(`Invalid character(s) found in build meta data ${quoted(part)}`);
    }
  }
  return new CelSemver({ numbers: [major, minorNumber, patch], pre, build });
}

/** Takes "v1.02" for 1.2.0. */
function parseTolerant(text: string): CelSemver | CelError {
  const plain = text.replace(/^v/u, "");
  const [a = "", b, ...c] = plain.split(".");
  const parts = [a, b, c.length > 0 ? c.join(".") : undefined].filter((part) => part !== undefined);
  const trimmed = parts.map((part) => {
    if (part.length <= 1) return part;
    const bare = part.replace(/^0+/u, "");
    return /^\d/u.test(bare) ? bare : `0${bare}`;
  });
  if (trimmed.length < 3 && /[+-]/u.test(trimmed.at(-1)!)) {
    return wrong("short version cannot contain PreRelease/Build meta data");
  }
  while (trimmed.length < 3) trimmed.push("0");
  return parseSemver(trimmed.join("."));
}

function semver(text: Value, normalize: Value = false): CelSemver | CelError | undefined {
  if (typeof text !== "string" || typeof normalize !== "boolean") return undefined;
  return normalize ? parseTolerant(text) : parseSemver(text);
}

function compared(test: (sign: number) => Value): Implementation {
  return (a, b) => {
    if (a instanceof CelQuantity && b instanceof CelQuantity)
      return test(a.quantity.cmp(b.quantity));
    if (a instanceof CelSemver && b instanceof CelSemver) {
      return test(compareVersions(a.version, b.version));
    }
    return undefined;
  };
}

function combine(name: "add" | "sub"): Implementation {
  return (a, b) => {
    if (!(a instanceof CelQuantity)) return undefined;
    if (typeof b === "bigint") {
      return new CelQuantity(a.quantity[name](quantityOf(b, "DecimalExponent")));
    }
    return b instanceof CelQuantity ? new CelQuantity(a.quantity[name](b.quantity)) : undefined;
  };
}

const part =
  (i: 0 | 1 | 2): Implementation =>
  (value) =>
    value instanceof CelSemver ? value.version.numbers[i] : undefined;

const onQuantity =
  (change: (quantity: Quantity) => Value): Implementation =>
  (value) =>
    value instanceof CelQuantity ? change(value.quantity) : undefined;

export const quantities: Library = {
  quantity: (text) => (typeof text === "string" ? read(text) : undefined),
  isQuantity: (text) => (typeof text === "string" ? read(text) instanceof CelQuantity : undefined),
  isInteger: onQuantity((quantity) => wholeOf(quantity) !== undefined),
  asInteger: onQuantity(
    (quantity) => wholeOf(quantity) ?? new CelError("cannot convert value to integer"),
  ),
  asApproximateFloat: onQuantity((quantity) => quantity.asApproximateFloat()),
  sign: onQuantity((quantity) => BigInt(quantity.sign())),
  compareTo: compared((sign) => BigInt(sign)),
  isGreaterThan: compared((sign) => sign > 0),
  isLessThan: compared((sign) => sign < 0),
  add: combine("add"),
  sub: combine("sub"),
  semver: (text, normalize) => semver(text!, normalize),
  isSemver(text, normalize) {
    const parsed = semver(text!, normalize);
    return parsed === undefined ? undefined : parsed instanceof CelSemver;
  },
  major: part(0),
  minor: part(1),
  patch: part(2),
};
