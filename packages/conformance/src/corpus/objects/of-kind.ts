/** The object that a kind's requests start from: its fields, under a name that the kind allows. */
import type { ResourceInfo } from "@nanokube/api";
import type { Tree } from "../corpus-case.ts";
import { betaObjects } from "./betas.ts";
import { clusterObjects } from "./cluster.ts";
import { coreObjects } from "./core.ts";
import { workloadObjects } from "./workloads.ts";

const bodies: Readonly<Record<string, Tree>> = {
  ...coreObjects,
  ...workloadObjects,
  ...clusterObjects,
  ...betaObjects,
};

/** Kinds whose names follow from what they say. */
const names: Readonly<Record<string, string>> = {
  apiservices: "v1.none.example.com",
  customresourcedefinitions: "widgets.none.example.com",
  ipaddresses: "10.96.77.77",
  csidrivers: "csi.example.com",
};

export const keyOf = ({ group, version, plural }: ResourceInfo): string =>
  group === "" ? `${version}/${plural}` : `${group}/${version}/${plural}`;

export const apiVersionOf = ({ group, version }: ResourceInfo): string =>
  group === "" ? version : `${group}/${version}`;

export const nameOf = ({ plural }: ResourceInfo): string => names[plural] ?? "x";

export function hasObject(resource: ResourceInfo): boolean {
  return Object.hasOwn(bodies, keyOf(resource));
}

export function objectOf(resource: ResourceInfo, namespace: string): Tree {
  const text = JSON.stringify(bodies[keyOf(resource)]).replaceAll("$ns", namespace);
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { name: nameOf(resource), labels: { corpus: "1" } },
    ...(JSON.parse(text) as Tree),
  };
}
