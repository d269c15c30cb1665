import { expect, test } from "vitest";
import { parseRequestInfo } from "../request-info.ts";
import { connectOptions } from "./connect-options.ts";

const pod = "/api/v1/namespaces/shop/pods/web";

test.for([
  [
    `${pod}/attach`,
    "stdin=true&stdout=1&stderr=false&tty&container=c",
    { kind: "PodAttachOptions", stdin: true, stdout: true, tty: true, container: "c" },
  ],
  [`${pod}/exec`, "command=ls&command=-l", { kind: "PodExecOptions", command: ["ls", "-l"] }],
  [`${pod}/portforward`, "ports=80&ports=81", { kind: "PodPortForwardOptions", ports: [80, 81] }],
  [`${pod}/portforward`, "", { kind: "PodPortForwardOptions" }],
  [`${pod}/proxy`, "", { kind: "PodProxyOptions" }],
  [`${pod}/proxy/a/b/`, "", { kind: "PodProxyOptions", path: "/a/b/" }],
  ["/api/v1/nodes/n1/proxy/metrics", "", { kind: "NodeProxyOptions", path: "/metrics" }],
] as const)("what admission sees of %s?%s", ([path, query, seen]) => {
  const parameters = new URLSearchParams(query);
  const info = parseRequestInfo("GET", path, parameters);
  expect(connectOptions(info, parameters)).toEqual({ apiVersion: "v1", ...seen });
});
