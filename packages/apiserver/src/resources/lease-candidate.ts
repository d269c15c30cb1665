/**
 * LeaseCandidate: who would like to hold a lease, and of which version it is.
 *
 * Source  pkg/registry/coordination/leasecandidate, pkg/apis/coordination/validation
 */
import type { LeaseCandidate } from "@nanokube/api/coordination/v1beta1";
import type { ResourceStrategy } from "../core/strategy.ts";
import { check, type FieldError, field, invalid, notSupported, required } from "./field.ts";
import { kind } from "./generic.ts";
import { configMapKey, qualifiedName } from "./names.ts";
import { validateImmutable } from "./object-meta.ts";
import { age, columns, nameOf } from "./table.ts";

const oldest = "OldestEmulationVersion";
const number = "(0|[1-9]\\d*)";
const word = "[0-9A-Za-z-]+";
const semantic = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-(${word}(?:\\.${word})*))?(?:\\+${word}(?:\\.${word})*)?$`,
);

interface Version {
  numbers: readonly number[];
  pre: string;
}

function parseVersion(text: string): Version | undefined {
  const found = semantic.exec(text);
  if (found === null) return undefined;
  return { numbers: found.slice(1, 4).map(Number), pre: found[4] ?? "" };
}

function isLess(a: Version, b: Version): boolean {
  for (const [i, mine] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0;
    if (mine !== other) return mine < other;
  }
  return a.pre !== "" && (b.pre === "" || a.pre < b.pre);
}

const none: Version = { numbers: [0, 0, 0], pre: "" };

function validateSpec(candidate: LeaseCandidate): FieldError[] {
  const { leaseName = "", emulationVersion = "", binaryVersion = "" } = candidate.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  const bad = "must be a valid semantic version";
  if (leaseName === "") errors.push(required(path.child("leaseName")));
  const emulated = parseVersion(emulationVersion);
  const emulationAt = path.child("emulationVersion");
  const binaryAt = path.child("binaryVersion");
  if (emulationVersion !== "" && emulated === undefined) {
    errors.push(invalid(emulationAt, emulationVersion, bad));
  }
  const binary = parseVersion(binaryVersion);
  if (binaryVersion === "") errors.push(required(binaryAt));
  else if (binary === undefined) errors.push(invalid(binaryAt, binaryVersion, bad));
  const isBoth = binaryVersion !== "" && emulationVersion !== "";
  if (isBoth && isLess(binary ?? none, emulated ?? none)) {
    const why = "must be greater than or equal to `emulationVersion`";
    errors.push(invalid(binaryAt, binaryVersion, why));
  }
  return [...errors, ...validateStrategy(candidate, emulated ?? none)];
}

function validateStrategy({ spec }: LeaseCandidate, emulated: Version): FieldError[] {
  const { strategy = "" } = spec ?? {};
  const at = field("spec", "strategy");
  if (strategy === "") return [required(at)];
  const errors: FieldError[] = [];
  const isZero = emulated.pre === "" && emulated.numbers.every((each) => each === 0);
  if (strategy === oldest && isZero) {
    const why = "must be specified when `strategy` is 'OldestEmulationVersion'";
    errors.push(required(field("spec", "emulationVersion"), why));
  }
  // Upstream names the field below itself.
  const below = at.child("strategy");
  if (strategy.includes("/")) errors.push(...check(below, strategy, qualifiedName));
  else if (strategy !== oldest) errors.push(notSupported(below, strategy, [oldest]));
  return errors;
}

export const leaseCandidateStrategy: ResourceStrategy = kind(
  { finalizers: "plain", name: configMapKey },
  {
    validate: (object) => validateSpec(object as LeaseCandidate),
    validateUpdate: (object, old) => [
      ...validateSpec(object as LeaseCandidate),
      ...validateImmutable(
        (object as LeaseCandidate).spec?.leaseName,
        (old as LeaseCandidate).spec?.leaseName,
        field("spec", "leaseName"),
      ),
    ],
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    columns: columns("Name, LeaseName, BinaryVersion, EmulationVersion, Age"),
    row(object, now) {
      const {
        leaseName = "",
        binaryVersion = "",
        emulationVersion = "",
      } = (object as LeaseCandidate).spec ?? {};
      return [nameOf(object), leaseName, binaryVersion, emulationVersion, age(object, now)];
    },
  },
);
