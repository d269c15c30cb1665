/**
 * KubeSchedulerConfiguration: profiles, plugins switched on and off, weights, back-offs.
 *
 * Shapes  a profile's plugins are the default ones in their order; `multiPoint` switches a plugin
 *         at all its points, `filter` and `score` at one; "*" is all that are on by default
 * Errors  what is not implemented is refused by name, never dropped
 * Source  k8s.io/kube-scheduler/config/v1/types.go, pkg/scheduler/apis/config
 */
import type { Plugin } from "./framework.ts";
import { defaultPlugins } from "./plugins/registry.ts";

export interface Profile {
  schedulerName: string;
  plugins: readonly Plugin[];
  /** 0 lets the size of the cluster decide. */
  percentageOfNodesToScore: number;
  /** May other pods be evicted for one that fits nowhere? */
  preempts: boolean;
}

export interface SchedulerConfiguration {
  profiles: Profile[];
  kubeconfig?: string;
  leaderElect?: boolean;
  backoffInitialMs?: number;
  backoffMaxMs?: number;
}

type Tree = Record<string, unknown>;

const apiVersion = "kubescheduler.config.k8s.io/v1";
/** Upstream's plugins without a part in the cycle here: they can't be taken away. */
const always = new Set(["PrioritySort", "DefaultBinder", "DynamicResources", "VolumeZone"]);
const preemption = "DefaultPreemption";
const points = new Set(["multiPoint", "filter", "score", "preFilter", "preScore", "postFilter"]);
const known = new Set([...defaultPlugins.map(({ name }) => name), ...always, preemption]);

function tree(value: unknown, field: string): Tree {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new Error(`strict decoding error: field "${field}" must be an object`);
  }
  return value as Tree;
}

function list(value: unknown, field: string): Tree[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new Error(`strict decoding error: field "${field}" must be a list`);
  }
  return value.map((item) => tree(item, field));
}

function refuseOthers(fields: Tree, allowed: readonly string[], where: string): void {
  for (const [key, value] of Object.entries(fields)) {
    if (allowed.includes(key) || value === null) continue;
    throw new Error(`${where}${key}: Forbidden: not implemented by this scheduler`);
  }
}

interface Switch {
  enabled: { name: string; weight: number | undefined }[];
  disabled: Set<string>;
}

function switchOf(value: unknown, where: string): Switch {
  const fields = tree(value, where);
  const name = (item: Tree) => String(item.name ?? "");
  const enabled = list(fields.enabled, `${where}.enabled`).map((item) => ({
    name: name(item),
    weight: item.weight === undefined ? undefined : Number(item.weight),
  }));
  const disabled = new Set(list(fields.disabled, `${where}.disabled`).map(name));
  for (const one of [...enabled.map((item) => item.name), ...disabled]) {
    if (one !== "*" && !known.has(one)) {
      throw new Error(`${where}: Invalid value: "${one}": plugin "${one}" does not exist`);
    }
  }
  for (const one of disabled) {
    if (always.has(one)) {
      throw new Error(`${where}.disabled: Forbidden: ${one} is part of this scheduler`);
    }
  }
  return { enabled, disabled };
}

const isOff = ({ enabled, disabled }: Switch, name: string): boolean =>
  (disabled.has("*") || disabled.has(name)) && !enabled.some((item) => item.name === name);

const weightIn = ({ enabled }: Switch, name: string): number | undefined =>
  enabled.find((item) => item.name === name)?.weight || undefined;

/** The plugin without the points at which it is switched off. */
function shaped(plugin: Plugin, whole: Switch, filter: Switch, score: Switch): Plugin[] {
  if (isOff(whole, plugin.name)) return [];
  const { filter: filters, preFilter, score: scores, preScore, normalize, ...rest } = plugin;
  const weight = weightIn(score, plugin.name) ?? weightIn(whole, plugin.name) ?? plugin.weight;
  const kept = isOff(filter, plugin.name) ? {} : { filter: filters, preFilter };
  const scoring = isOff(score, plugin.name) ? {} : { score: scores, preScore, normalize };
  const shape = { ...rest, ...kept, ...scoring, ...(weight === undefined ? {} : { weight }) };
  return [Object.fromEntries(Object.entries(shape).filter(([, v]) => v !== undefined)) as never];
}

function profileOf(fields: Tree, at: number, percentage: number): Profile {
  const where = `profiles[${at}].`;
  refuseOthers(fields, ["schedulerName", "plugins", "percentageOfNodesToScore"], where);
  const plugins = tree(fields.plugins, `${where}plugins`);
  refuseOthers(plugins, [...points], `${where}plugins.`);
  const switchAt = (point: string) => switchOf(plugins[point], `${where}plugins.${point}`);
  const [whole, postFilter] = [switchAt("multiPoint"), switchAt("postFilter")];
  const [filter, score] = [switchAt("filter"), switchAt("score")];
  for (const [point, main] of [
    ["preFilter", filter],
    ["preScore", score],
  ] as const) {
    for (const name of switchAt(point).disabled) main.disabled.add(name);
  }
  return {
    schedulerName: String(fields.schedulerName ?? "default-scheduler"),
    plugins: defaultPlugins.flatMap((plugin) => shaped(plugin, whole, filter, score)),
    percentageOfNodesToScore: percentageOf(fields.percentageOfNodesToScore, percentage),
    preempts: !isOff(whole, preemption) && !isOff(postFilter, preemption),
  };
}

function percentageOf(value: unknown, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= 100) return number;
  throw new Error(`percentageOfNodesToScore: Invalid value: ${value}: not in valid range [0-100]`);
}

const secondsToMs = (value: unknown): number | undefined =>
  value === undefined ? undefined : Number(value) * 1000;

/** Refuses what can't be kept. The tree is the YAML or JSON of the file. */
export function parseSchedulerConfiguration(value: unknown): SchedulerConfiguration {
  const fields = tree(value, "configuration");
  if (fields.apiVersion !== apiVersion || fields.kind !== "KubeSchedulerConfiguration") {
    const got = `no kind "${fields.kind}" is registered for version "${fields.apiVersion}"`;
    throw new Error(`${got}, want KubeSchedulerConfiguration of ${apiVersion}`);
  }
  refuseOthers(
    fields,
    [
      ...["apiVersion", "kind", "profiles", "percentageOfNodesToScore", "leaderElection"],
      ...["clientConnection", "podInitialBackoffSeconds", "podMaxBackoffSeconds", "parallelism"],
    ],
    "",
  );
  const percentage = percentageOf(fields.percentageOfNodesToScore, 0);
  const given = list(fields.profiles, "profiles");
  const profiles = (given.length === 0 ? [{}] : given).map((profile, at) =>
    profileOf(profile, at, percentage),
  );
  const names = profiles.map(({ schedulerName }) => schedulerName);
  for (const [at, name] of names.entries()) {
    if (names.indexOf(name) === at) continue;
    throw new Error(`profiles[${at}].schedulerName: Duplicate value: "${name}"`);
  }
  const kubeconfig = tree(fields.clientConnection, "clientConnection").kubeconfig;
  const { leaderElect } = tree(fields.leaderElection, "leaderElection");
  const initialMs = secondsToMs(fields.podInitialBackoffSeconds);
  const maxMs = secondsToMs(fields.podMaxBackoffSeconds);
  return {
    profiles,
    ...(typeof kubeconfig === "string" && kubeconfig !== "" ? { kubeconfig } : {}),
    ...(typeof leaderElect === "boolean" ? { leaderElect } : {}),
    ...(initialMs === undefined ? {} : { backoffInitialMs: initialMs }),
    ...(maxMs === undefined ? {} : { backoffMaxMs: maxMs }),
  };
}
