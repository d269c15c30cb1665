/**
 * Node: a machine that runs pods.
 *
 * Source  pkg/registry/core/node/strategy.go, pkg/apis/core/v1/defaults.go SetDefaults_NodeStatus
 */
import type { Node } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { kind } from "../generic.ts";
import { dns1123Subdomain } from "../names.ts";
import { roundToMilli } from "../resource-list.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateNode, validateNodeUpdate } from "./node-validation.ts";

const rolePrefix = "node-role.kubernetes.io/";

function roles(node: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata?.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) {
      found.add(key.slice(rolePrefix.length));
    } else if (key === "kubernetes.io/role" && value !== "") {
      found.add(value);
    }
  }
  return [...found].sort().join(",") || "<none>";
}

function statusText(node: Node): string {
  const ready = node.status?.conditions?.findLast((condition) => condition.type === "Ready");
  const words = [ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"];
  if (node.spec?.unschedulable) words.push("SchedulingDisabled");
  return words.join(",");
}

function address(node: Node, type: string): string {
  return node.status?.addresses?.find((one) => one.type === type)?.address ?? "<none>";
}

function nodeRow(node: Node, now: number): unknown[] {
  const info = node.status?.nodeInfo ?? {};
  const kernel = info.kernelVersion || "<unknown>";
  return [
    nameOf(node),
    statusText(node),
    roles(node),
    age(node, now),
    info.kubeletVersion ?? "",
    address(node, "InternalIP"),
    address(node, "ExternalIP"),
    info.osImage || "<unknown>",
    info.architecture ? `${kernel} (${info.architecture})` : kernel,
    info.containerRuntimeVersion || "<unknown>",
  ];
}

/** The first CIDR is in both fields; where they differ the single one counts. */
function pairCIDRs({ spec }: Node): void {
  if (spec === undefined) return;
  const first = spec.podCIDRs?.[0];
  if (spec.podCIDR && spec.podCIDR !== first) spec.podCIDRs = [spec.podCIDR];
  else if (first) spec.podCIDR = first;
}

function defaultNode(node: Node): void {
  pairCIDRs(node);
  const status = node.status;
  if (status === undefined) return;
  roundToMilli(status.capacity);
  if (status.allocatable === undefined && status.capacity !== undefined) {
    status.allocatable = { ...status.capacity };
  }
  roundToMilli(status.allocatable);
}

const unsupported = "the feature is removed";
const unused = "this field is deprecated, and is unused by Kubernetes";

/** A node's creator (its kubelet) may set the first status, so creation keeps it. */
export const nodeStrategy: ResourceStrategy = kind(
  {
    updateMeta: ["whole", "update"],
    status: true,
    initialStatus: (object) => object.status,
    name: dns1123Subdomain,
  },
  {
    default: (object) => defaultNode(object as Node),
    validate: (object) => validateNode(object as Node),
    validateUpdate: (object, old) => validateNodeUpdate(object as Node, old as Node),
    prepareForCreate(object) {
      delete (object as Node).spec?.configSource;
      delete (object as Node).status?.config;
    },
    prepareForUpdate(object, old) {
      if ((old as Node).spec?.configSource === undefined)
        delete (object as Node).spec?.configSource;
    },
    warnings(object) {
      const { configSource, externalID } = (object as Node).spec ?? {};
      return [
        ...(configSource === undefined ? [] : [`spec.configSource: ${unsupported}`]),
        ...(externalID ? [`spec.externalID: ${unused}`] : []),
      ];
    },
    selectableFields: (object) => ({
      "spec.unschedulable": String((object as Node).spec?.unschedulable ?? false),
    }),
    columns: columns(
      "Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, " +
        "Kernel-Version*, Container-Runtime*",
    ),
    row: (object, now) => nodeRow(object as Node, now),
  },
);
