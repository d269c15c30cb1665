/**
 * The same resource in another version: what matchPolicy Equivalent looks at.
 *
 * Source  apiserver pkg/admission/plugin/webhook/generic/webhook.go, pkg/admission/conversion.go
 */
import type { ResourceInfo } from "@nanokube/api";
import { type ApplySchema, deepClone, type KubeObject } from "@nanokube/machinery";
import { type Reading, readTree } from "../../rest/reading.ts";
import type { ResourceStrategy } from "../../strategy.ts";
import type { AdmissionAttributes } from "../plugin.ts";

/** A resource as one version serves it. */
export interface ServedVersion {
  info: ResourceInfo;
  apiVersion: string;
  /** Upstream's registered type; absent for custom resources. */
  typeName: string | undefined;
  strategy: ResourceStrategy;
  custom: { applySchema: ApplySchema } | undefined;
  toStorage(object: KubeObject): KubeObject | Promise<KubeObject>;
  fromStorage(object: KubeObject): KubeObject;
  reading?: Reading;
}

export type ServedVersions = () => Iterable<ServedVersion>;

/** Kept once, served in two groups. */
const isEvents = ({ group, plural }: ResourceInfo): boolean =>
  plural === "events" && (group === "" || group === "events.k8s.io");

const isSame = (a: ResourceInfo, b: ResourceInfo): boolean =>
  (a.group === b.group && a.plural === b.plural) || (isEvents(a) && isEvents(b));

const isVersion = (a: ResourceInfo, b: ResourceInfo): boolean =>
  a.group === b.group && a.version === b.version;

/** The other versions of what is asked for. */
export function otherVersions(served: ServedVersions, info: ResourceInfo): ServedVersion[] {
  return [...served()].filter((each) => isSame(each.info, info) && !isVersion(each.info, info));
}

export async function converted(
  object: KubeObject,
  from: ServedVersion,
  to: ServedVersion,
): Promise<KubeObject> {
  // A Scale is the same whatever it is the scale of.
  if (object.kind !== undefined && object.kind !== from.info.kind) return object;
  const whole = { ...deepClone(object), apiVersion: from.apiVersion, kind: from.info.kind };
  return { ...(await readTree(to, await from.toStorage(whole))), apiVersion: to.apiVersion };
}

/** The version that a request, or what it was converted to, is in. */
export function servedAs(served: ServedVersions, info: ResourceInfo): ServedVersion | undefined {
  return [...served()].find((each) => isSame(each.info, info) && isVersion(each.info, info));
}

export interface Match {
  /** In the version that the rule names. */
  attributes: AdmissionAttributes;
  /** Into the version of the request again. */
  back(object: KubeObject): Promise<KubeObject>;
}

export function unconverted(attributes: AdmissionAttributes): Match {
  return { attributes, back: async (object) => object };
}

export async function inVersion(
  attributes: AdmissionAttributes,
  served: ServedVersions,
  to: ServedVersion,
): Promise<Match> {
  const { resource, object, oldObject } = attributes;
  const from = servedAs(served, resource);
  if (from === undefined) return unconverted(attributes);
  return {
    attributes: {
      ...attributes,
      resource: to.info,
      requested: resource,
      ...(object === undefined ? {} : { object: await converted(object, from, to) }),
      ...(oldObject === undefined ? {} : { oldObject: await converted(oldObject, from, to) }),
    },
    back: (changed) => converted(changed, to, from),
  };
}
