/**
 * Kinds of resource.k8s.io between v1beta1 and the later versions, which have one shape.
 *
 * Shapes  v1beta1 says of one request what v1 says of its `exactly`, and puts what a device has
 *         into `basic`
 * Source  pkg/apis/resource/v1beta1/conversion.go
 */
import type { KubeObject } from "@nanokube/machinery";

type Tree = Record<string, unknown>;

export const oldDeviceVersion = "resource.k8s.io/v1beta1";

/** Of one request, in v1beta1: what v1 keeps in `exactly`. */
const requestMembers = [
  "deviceClassName",
  "selectors",
  "allocationMode",
  "count",
  "adminAccess",
  "tolerations",
  "capacity",
];

const isUnset = (value: unknown): boolean => value === undefined || value === "" || value === 0;

function requestToV1(request: Tree): Tree {
  const members = Object.entries(request);
  const own = members.filter(([name, value]) => requestMembers.includes(name) && !isUnset(value));
  const rest = members.filter(([name]) => !requestMembers.includes(name));
  const exactly = own.length === 0 ? {} : { exactly: Object.fromEntries(own) };
  return { ...Object.fromEntries(rest), ...exactly };
}

/** The class is written there when it is none, too. */
function requestToBeta({ exactly, ...rest }: Tree): Tree {
  return { deviceClassName: "", ...rest, ...(exactly as Tree | undefined) };
}

const deviceToV1 = ({ name, basic }: Tree): Tree => ({
  ...(name === undefined ? {} : { name }),
  ...(basic as Tree | undefined),
});

const deviceToBeta = ({ name, ...basic }: Tree): Tree => ({
  ...(name === undefined ? {} : { name }),
  basic,
});

/** Every item of a list at a path, changed; trees on the way are copied. */
function mapAt(tree: unknown, path: readonly string[], change: (item: Tree) => Tree): unknown {
  const [head, ...rest] = path;
  if (head === undefined) {
    return Array.isArray(tree) ? tree.map((item) => changed(item, change)) : tree;
  }
  if (typeof tree !== "object" || tree === null || !Object.hasOwn(tree, head)) return tree;
  return { ...tree, [head]: mapAt((tree as Tree)[head], rest, change) };
}

const changed = (item: unknown, change: (item: Tree) => Tree): unknown =>
  typeof item === "object" && item !== null ? change(item as Tree) : item;

/** Where requests, or devices, are. */
const places: Readonly<Record<string, readonly string[]>> = {
  ResourceClaim: ["spec", "devices", "requests"],
  ResourceClaimTemplate: ["spec", "spec", "devices", "requests"],
  ResourceSlice: ["spec", "devices"],
};

/** A pointer of v1 is a plain value in v1beta1: unset and zero are one. */
function withoutZeros(object: KubeObject): KubeObject {
  const spec = { ...(object.spec as Tree | undefined) };
  if (spec.nodeName === "") delete spec.nodeName;
  if (spec.allNodes === false) delete spec.allNodes;
  return { ...object, spec };
}

export function deviceKind(object: KubeObject, apiVersion: string): KubeObject {
  const { kind = "" } = object;
  const place = places[kind];
  const isOld = object.apiVersion === oldDeviceVersion;
  if (place === undefined || isOld === (apiVersion === oldDeviceVersion)) {
    return { ...object, apiVersion };
  }
  const isSlice = kind === "ResourceSlice";
  const toV1 = isSlice ? deviceToV1 : requestToV1;
  const toBeta = isSlice ? deviceToBeta : requestToBeta;
  const converted = mapAt(object, place, isOld ? toV1 : toBeta) as KubeObject;
  return { ...(isSlice ? withoutZeros(converted) : converted), apiVersion };
}

/** The type in whose shape upstream checks, and tells of, objects of an older one. */
export const newestType = (type: string): string =>
  type.replace("io.k8s.api.resource.v1beta1.", "io.k8s.api.resource.v1.");
