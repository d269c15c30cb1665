/**
 * What a request to connect asks for, as the object that admission sees.
 *
 * Shapes  ?stdin=true&container=c  {kind: PodAttachOptions, stdin: true, container: "c"}
 * Source  apimachinery pkg/runtime/conversion.go, core/v1 zz_generated.conversion.go
 */
import type { KubeObject } from "@nanokube/machinery";
import type { RequestInfo } from "../request-info.ts";

const kinds: Readonly<Record<string, string>> = {
  "pods/attach": "PodAttachOptions",
  "pods/exec": "PodExecOptions",
  "pods/portforward": "PodPortForwardOptions",
  "pods/proxy": "PodProxyOptions",
  "services/proxy": "ServiceProxyOptions",
  "nodes/proxy": "NodeProxyOptions",
};
const flags = ["stdin", "stdout", "stderr", "tty"];

/** A flag without a value is set. */
function isSet(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text.toLowerCase() !== "false" && text !== "0";
}

export function connectOptions(info: RequestInfo, query: URLSearchParams): KubeObject {
  const kind = kinds[`${info.resource}/${info.subresource}`] ?? "";
  const options: KubeObject = { kind, apiVersion: "v1" };
  if (info.subresource === "proxy") {
    const path = info.parts.slice(3).map((part) => `/${part}`);
    if (info.path.endsWith("/")) path.push("/");
    return path.length === 0 ? options : { ...options, path: path.join("") };
  }
  if (info.subresource === "portforward") {
    const ports = query.getAll("ports").map(Number);
    return ports.length === 0 ? options : { ...options, ports };
  }
  for (const flag of flags) if (isSet(query, flag)) options[flag] = true;
  const container = query.get("container");
  if (container) options.container = container;
  if (info.subresource === "exec") options.command = query.getAll("command");
  return options;
}
