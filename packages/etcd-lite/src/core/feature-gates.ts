/**
 * --feature-gates, and the flags that were there before them: which of etcd's experiments are on.
 *
 * InitialCorruptCheck and CompactHashCheck do here what they do in etcd. Leases are checkpointed
 * and kept however their gates are set; the others are about parts that are not here.
 * Errors  FlagError in etcd's words
 * Source  etcd v3.6 server/features/etcd_features.go, pkg/featuregate/feature_gate.go,
 *         server/embed/config.go SetFeatureGatesFromExperimentalFlags
 */
import { FlagError, type FlagValues, isTrue } from "./flag-error.ts";
import { gateFlags } from "./flag-facts.ts";

type Stage = "alpha" | "beta";

const stages: Readonly<Record<string, Stage>> = {
  StopGRPCServiceOnDefrag: "alpha",
  InitialCorruptCheck: "alpha",
  CompactHashCheck: "alpha",
  TxnModeWriteWithSharedBuffer: "beta",
  LeaseCheckpoint: "alpha",
  LeaseCheckpointPersist: "alpha",
  SetMemberLocalAddr: "alpha",
};

const groups: Readonly<Record<string, Stage>> = { AllAlpha: "alpha", AllBeta: "beta" };

export type FeatureGates = ReadonlyMap<string, boolean>;

/** As /metrics shows them: every gate, and the two groups, with its stage. */
export function describeGates(gates: FeatureGates) {
  return Object.entries({ ...groups, ...stages })
    .map(([name, stage]) => ({ name, stage: stage.toUpperCase(), isOn: gates.get(name) ?? false }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What is wrong with one `Name=true`; the first fault of a list is the list's. */
export function gatesFault(text: string): string | undefined {
  for (const part of text.split(",")) {
    const [name = "", value] = part.split("=").map((side) => side.trim());
    if (name === "") continue;
    if (value === undefined) return `missing bool value for ${name}`;
    if (stages[name] === undefined && groups[name] === undefined) {
      return `unrecognized feature gate: ${name}`;
    }
    if (!/^(1|0|t|f|T|F|true|false|TRUE|FALSE|True|False)$/.test(value)) {
      const parsing = `strconv.ParseBool: parsing "${value}": invalid syntax`;
      return `invalid value of ${name}=${value}, err: ${parsing}`;
    }
  }
  return undefined;
}

export function readGates(flags: FlagValues): FeatureGates {
  const text = flags["feature-gates"] ?? "";
  const given = new Map<string, boolean>();
  for (const part of text.split(",").filter((one) => one.trim() !== "")) {
    const [name, value] = part.split("=").map((side) => side.trim());
    given.set(name!, isTrue(value));
  }
  const gates = new Map<string, boolean>();
  for (const [name, stage] of Object.entries(stages)) {
    const group = stage === "alpha" ? "AllAlpha" : "AllBeta";
    gates.set(name, given.get(name) ?? given.get(group) ?? stage === "beta");
  }
  for (const group of Object.keys(groups)) gates.set(group, given.get(group) ?? false);
  for (const [flag, name] of Object.entries(gateFlags)) {
    if (flags[flag] === undefined) continue;
    if (text.includes(name)) {
      const set = `--feature-gates=${name}=${gates.get(name)}`;
      const both = `--${flag}=${isTrue(flags[flag])} and ${set}`;
      throw new FlagError(
        `cannot specify both flags: ${both} at the same time, please just use ${set}`,
      );
    }
    gates.set(name, isTrue(flags[flag]));
  }
  if (gates.get("LeaseCheckpointPersist") && !gates.get("LeaseCheckpoint")) {
    const needs = "requires enabling feature gate LeaseCheckpoint";
    throw new FlagError(`enabling feature gate LeaseCheckpointPersist ${needs}`);
  }
  return gates;
}
