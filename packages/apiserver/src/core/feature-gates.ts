/**
 * Which feature gates are on: the defaults, and what --feature-gates says otherwise.
 *
 * A gate may be set to another value where that does something here, or does nothing in upstream's
 * API server either (it is read by the kubelet, the scheduler, a controller). All others are
 * refused: nothing here would change with them.
 *
 * Errors  upstream's words for what no gate is, what is no boolean, what is locked, and what needs
 *         another gate
 * Source  component-base featuregate/feature_gate.go; pkg/features/kube_features.go
 */
import { type GateGroup, gateGroups } from "./feature-gate-names.ts";
import { gateDependencies, gatesOfOthers, honouredGates } from "./honoured-gates.ts";

export interface FeatureGate {
  name: string;
  stage: GateGroup["stage"];
  isOn: boolean;
  isLocked: boolean;
}

function* usual(): Generator<FeatureGate> {
  for (const { stage, isOn, isLocked, names } of gateGroups) {
    for (const name of names.trim().split(/\s+/)) yield { name, stage, isOn, isLocked };
  }
  yield { name: "AllAlpha", stage: "ALPHA", isOn: false, isLocked: false };
  yield { name: "AllBeta", stage: "BETA", isOn: false, isLocked: false };
}

const known = new Map([...usual()].map((gate) => [gate.name, gate]));

export class FeatureGates {
  readonly #set: ReadonlyMap<string, boolean>;

  constructor(set: ReadonlyMap<string, boolean> = new Map()) {
    this.#set = set;
  }

  isOn(name: string): boolean {
    return this.#set.get(name) ?? known.get(name)?.isOn ?? false;
  }

  *all(): Generator<FeatureGate> {
    for (const gate of known.values()) yield { ...gate, isOn: this.isOn(gate.name) };
  }
}

export const usualGates = new FeatureGates();

const booleans: Readonly<Record<string, boolean | undefined>> = {
  ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true])),
  ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false])),
};

/** "Name=true", "kube:Name=true"; a text says what is wrong, the first of it, as upstream. */
export function readFeatureGates(entries: readonly string[]): FeatureGates | string {
  const wanted = new Map<string, boolean>();
  for (const entry of entries) {
    const [whole = "", text] = entry.split("=", 2);
    const name = whole.trim().replace(/^kube:/, "");
    if (text === undefined) return `missing bool value for ${name}`;
    const value = booleans[text.trim()];
    if (value === undefined) {
      const why = `strconv.ParseBool: parsing ${JSON.stringify(text.trim())}: invalid syntax`;
      return `invalid value of ${name}=${text.trim()}, err: ${why}`;
    }
    wanted.set(name, value);
  }
  const set = withStages(wanted);
  const problem = problemOf(wanted) ?? unsupported(set) ?? unmetDependency(new FeatureGates(set));
  return problem ?? new FeatureGates(set);
}

/** AllAlpha and AllBeta are said of each gate of the stage that is not named itself. */
function withStages(wanted: ReadonlyMap<string, boolean>): Map<string, boolean> {
  const set = new Map(wanted);
  for (const [name, stage] of [
    ["AllAlpha", "ALPHA"],
    ["AllBeta", "BETA"],
  ] as const) {
    const value = wanted.get(name);
    if (value === undefined) continue;
    for (const gate of known.values()) {
      if (gate.stage === stage && !set.has(gate.name)) set.set(gate.name, value);
    }
  }
  return set;
}

function problemOf(wanted: ReadonlyMap<string, boolean>): string | undefined {
  for (const [name, value] of wanted) {
    const gate = known.get(name);
    if (gate === undefined) return `unrecognized feature gate: ${name}`;
    if (gate.isLocked && value !== gate.isOn) {
      return `cannot set feature gate ${name} to ${value}, feature is locked to ${gate.isOn}`;
    }
  }
  return undefined;
}

function unsupported(set: ReadonlyMap<string, boolean>): string | undefined {
  for (const [name, value] of set) {
    if (name === "AllAlpha" || name === "AllBeta" || value === known.get(name)?.isOn) continue;
    if (honouredGates.has(name) || gatesOfOthers.has(name)) continue;
    return `feature gate ${name}=${value} is not supported: what it guards is as by default`;
  }
  return undefined;
}

function unmetDependency(gates: FeatureGates): string | undefined {
  for (const [name, needed] of Object.entries(gateDependencies)) {
    if (!gates.isOn(name)) continue;
    const off = needed.filter((one) => !gates.isOn(one));
    if (off.length === 0) continue;
    return `${name} is enabled, but depends on features that are disabled: [${off.join(" ")}]`;
  }
  return undefined;
}
