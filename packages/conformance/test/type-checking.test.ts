/** What upstream's controller manager and ours say of the types in policies' expressions. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findUpstream, missingReason } from "../src/upstream/cache.ts";

const skip = missingReason("kube-controller-manager", "etcd");
const source = fileURLToPath(new URL("../../controller-manager/src/main.ts", import.meta.url));
const managers: readonly [string, () => string[]][] = [
  ["kube-controller-manager", () => [findUpstream("kube-controller-manager")!, "--secure-port=0"]],
  ["controller-manager", () => [process.execPath, "--conditions=nanokube-source", source]],
];

const policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const rule = (group: string, ...resources: string[]) => ({
  apiGroups: [group],
  apiVersions: ["v1"],
  operations: ["*"],
  resources,
});
const policy = (name: string, resourceRules: object[], validations: object[], rest = {}) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicy",
  metadata: { name },
  spec: { matchConstraints: { resourceRules }, validations, ...rest },
});

const deployments = rule("apps", "deployments");
const cases = [
  policy(
    "wrong",
    [deployments],
    [
      { expression: "object.spec.replicas > '5'" },
      { expression: "object.spec.replicasss > 5", messageExpression: "string(object.foo)" },
      { expression: "object.spec.template.spec.containers.all(c, c.imag == 'x')" },
      { expression: "object.metadata.labels.a == 'x' && object.spec.replicas > 1" },
      { expression: "object.spec.strategy.rollingUpdate.maxSurge == '1'" },
    ],
  ),
  policy("right", [deployments], [{ expression: "object.spec.replicas > 5" }]),
  policy("wild", [rule("*", "deployments")], [{ expression: "object.foo == 'x'" }]),
  policy(
    "two kinds",
    [rule("", "pods", "pods/status"), deployments],
    [{ expression: "object.spec.replicas > 1" }],
  ),
  policy(
    "with params",
    [deployments],
    [
      { expression: "params.data.x == '1' && variables.many" },
      { expression: "params.dat.x == '1'" },
      { expression: "variables.count > 'x' " },
    ],
    {
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      variables: [
        { name: "many", expression: "object.spec.replicas > 1" },
        { name: "count", expression: "object.spec.replicas" },
      ],
    },
  ),
].map((one) => ({ ...one, metadata: { name: one.metadata.name.replaceAll(" ", "-") } }));

describe.skipIf(skip !== undefined).each(managers)(`%s (${skip ?? "told"})`, (_name, program) => {
  let server: ApiServerInstance;
  let stop: () => Promise<void> = async () => undefined;
  beforeAll(async () => {
    server = await apiServerSubjects()[0]!.open();
    const only = "--controllers=validatingadmissionpolicy-status-controller";
    const flags = [`--kubeconfig=${server.kubeconfig}`, only, "--leader-elect=false"];
    const [command = "", ...argv] = [...program(), ...flags];
    const child = spawn(command, argv, { stdio: "ignore" });
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    stop = () => {
      child.kill("SIGKILL");
      return exited;
    };
  }, 90_000);
  afterAll(async () => {
    await stop();
    await server?.close();
  });

  test("expressions that do not fit the kinds they are about", async () => {
    for (const body of cases) {
      const { status, text } = await server.send({ method: "POST", path: policies, body });
      expect(status, text).toBe(201);
    }
    const said = async () => {
      const { items } = JSON.parse((await server.send({ method: "GET", path: policies })).text);
      type Item = { metadata: { name: string }; status?: object };
      return Object.fromEntries(
        (items as Item[]).map(({ metadata, status }) => [metadata.name, status]),
      );
    };
    const isDone = async () =>
      Object.values(await said()).every((one) => JSON.stringify(one ?? {}).includes("observed"));
    await expect.poll(isDone, { timeout: 60_000 }).toBe(true);
    const text = `${JSON.stringify(await said(), null, 1)}\n`;
    await expect(text).toMatchFileSnapshot("../testdata/type-checking.json");
  }, 90_000);
});
