/** The first example of a package's README, as it stands there, prints what it says. */
import { expect, test } from "vitest";
import { outputOf, readmeExamples, saidOutput } from "../src/subjects/readme-example.ts";

/** An API server with a pod, and the file that leads to it. */
const withServer = `import { writeFileSync } from "node:fs";
import { TestEnvironment } from "@nanokube/testenv";
const env = await TestEnvironment.start();
writeFileSync("kubeconfig", env.kubeconfig);
await env.create({ apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "default" },
  spec: { containers: [{ name: "web", image: "web:1" }] } });
`;

test.for([
  ["api", ""],
  ["machinery", ""],
  ["rpc", ""],
  ["scheduler", ""],
  ["testenv", ""],
  ["client", withServer],
] as const)("%s", async ([unit, before]) => {
  const [code = ""] = await readmeExamples(unit);
  expect(saidOutput(code)).not.toBe("");
  const end = before === "" ? "" : "await env.stop();\nprocess.exit();\n";
  expect(await outputOf(`${before}${code}${end}`)).toBe(saidOutput(code));
});
