/**
 * PodResizeValidator: a pod on a node does not grow beyond what the node has.
 *
 * Errors  403 with the cause NodeCapacity or UnsupportedPlatform
 * Source  plugin/pkg/admission/podresize/admission.go
 */
import type { Node, Pod } from "@nanokube/api/core/v1";
import { deepEqual, parseQuantity, StatusError } from "@nanokube/machinery";
import { podRequests } from "../../resources/core/pod/resources.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

export const podResizeValidator: AdmissionPlugin = {
  name: "PodResizeValidator",
  handles: (attributes) =>
    attributes.operation === "UPDATE" && isFor(attributes, "", "pods", "resize"),
  async validate(attributes, reader) {
    const [pod, old] = [attributes.object as Pod, attributes.oldObject as Pod | undefined];
    const name = pod.spec?.nodeName;
    if (!name || deepEqual(pod.spec, old?.spec)) return;
    const node = (await reader.get("", "nodes", "", name)) as Node | undefined;
    if (node === undefined) throw refuse(attributes, `node "${name}" not found`);
    const os = node.metadata?.labels?.["kubernetes.io/os"] ?? "linux";
    if (os !== "linux") {
      const why = `pod resize is only supported on linux nodes, node "${name}" is "${os}"`;
      throw withCause(attributes, why, "UnsupportedPlatform");
    }
    const beyond = [...tooMuch(pod, node)];
    if (beyond.length === 0) return;
    const why = `node didn't have enough allocatable resources: ${beyond.join("; ")}`;
    throw withCause(attributes, why, "NodeCapacity");
  },
};

function* tooMuch(pod: Pod, node: Node): Generator<string> {
  const requests = podRequests(pod.spec ?? {});
  const allocatable = (node.status?.allocatable ?? {}) as Record<string, string>;
  for (const name of ["cpu", "memory"]) {
    const asked = parseQuantity(requests[name] ?? "0");
    const there = parseQuantity(allocatable[name] ?? "0");
    if (asked.cmp(there) <= 0) continue;
    const [a, b] =
      name === "cpu" ? [asked.milliValue(), there.milliValue()] : [asked.value(), there.value()];
    yield `${name}, requested: ${a}, allocatable: ${b}`;
  }
}

function withCause(attributes: AdmissionAttributes, why: string, reason: string): StatusError {
  const { status } = refuse(attributes, why);
  return new StatusError({ ...status, details: { ...status.details, causes: [{ reason }] } });
}
