/** What admission tells the audit log: on ours and on kube-apiserver. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HookServer, startHookServer } from "../src/extensions/hook-server.ts";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const registration = "/apis/admissionregistration.k8s.io/v1";
const rule = {
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["configmaps"],
  operations: ["CREATE"],
};
const objectSelector = { matchLabels: { audited: "yes" } };

const hooks = (kind: string, words: HookServer["words"], asks: [string, object][]) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind,
  metadata: { name: "audited" },
  webhooks: asks.map(([ask, rest], i) => ({
    name: `h${i}.example.com`,
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    clientConfig: { url: `${words["$HOOK"]}/${ask}`, caBundle: words["$CA"] },
    rules: [rule],
    objectSelector,
    ...rest,
  })),
});

const policy = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicy",
  metadata: { name: "audited" },
  spec: {
    matchConstraints: { resourceRules: [rule], objectSelector },
    validations: [
      { expression: "object.data.a != 'x'", message: "a is x" },
      { expression: "object.data.a != 'x' || true", message: "never" },
      { expression: "!has(object.data.b)", message: "b is there" },
    ],
    auditAnnotations: [
      { key: "a", valueExpression: "'a is ' + object.data.a" },
      { key: "none", valueExpression: "''" },
    ],
  },
};
const binding = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicyBinding",
  metadata: { name: "audited" },
  spec: { policyName: "audited", validationActions: ["Audit"] },
};

describe.each(apiServerSubjects())("$name", ({ open, skip }) => {
  let dir: string;
  let hook: HookServer;
  let server: ApiServerInstance;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "conformance-annotations-"));
    if (skip !== undefined) return;
    hook = await startHookServer();
    const audit = { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level: "Request" }] };
    await writeFile(join(dir, "policy.json"), JSON.stringify(audit));
    server = await open([
      `--audit-policy-file=${join(dir, "policy.json")}`,
      `--audit-log-path=${join(dir, "audit.log")}`,
    ]);
  }, 90_000);
  afterAll(async () => {
    await server?.close();
    hook?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const post = async (path: string, body: object) => {
    const answer = await server.send({ method: "POST", path, body });
    expect(answer.status, answer.text).toBe(201);
  };
  /** Of the newest request for this path that told something. */
  const annotations = async (uri: string) => {
    const lines = (await readFile(join(dir, "audit.log"), "utf8")).trim().split("\n");
    const events = lines.map((line) => JSON.parse(line));
    const event = events.findLast(
      (one) => one.requestURI.startsWith(uri) && one.stage === "ResponseComplete",
    );
    const all: Record<string, string> = event?.annotations ?? {};
    return Object.fromEntries(
      Object.entries(all)
        .filter(([key]) => !key.startsWith("authorization.k8s.io/"))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  };

  test.skipIf(skip)(
    "webhooks and policies",
    async () => {
      const { words } = hook;
      const again = { reinvocationPolicy: "IfNeeded" };
      const mutating = hooks("MutatingWebhookConfiguration", words, [
        ["label", again],
        ["label-again", {}],
        ["status-500", { failurePolicy: "Ignore" }],
        ["annotate", {}],
      ]);
      const validating = hooks("ValidatingWebhookConfiguration", words, [
        ["annotate", {}],
        ["status-500", { failurePolicy: "Ignore" }],
      ]);
      await post(`${registration}/mutatingwebhookconfigurations`, mutating);
      await post(`${registration}/validatingwebhookconfigurations`, validating);
      await post(`${registration}/validatingadmissionpolicies`, policy);
      await post(`${registration}/validatingadmissionpolicybindings`, binding);
      const path = "/api/v1/namespaces/default/configmaps";
      let tries = 0;
      const told = async () => {
        const metadata = { name: `n${tries++}`, labels: { audited: "yes" } };
        await post(path, { metadata, data: { a: "x", b: "y" } });
        return annotations(path);
      };
      const validation = (message: string, expressionIndex: number) => ({
        message,
        policy: "audited",
        binding: "audited",
        expressionIndex,
        validationActions: ["Audit"],
      });
      const mutation = (i: number, mutated: boolean) =>
        JSON.stringify({ configuration: "audited", webhook: `h${i}.example.com`, mutated });
      const patch = (i: number, key: string, value: string) =>
        JSON.stringify({
          configuration: "audited",
          webhook: `h${i}.example.com`,
          patch: [{ op: "add", path: `/metadata/labels/${key}`, value }],
          patchType: "JSONPatch",
        });
      const at = "webhook.admission.k8s.io";
      await expect.poll(told, { timeout: 20_000 }).toEqual({
        "audited/a": "a is x",
        [`failed-open.mutation.${at}/round_0_index_2`]: "h2.example.com",
        [`failed-open.validating.${at}/round_0_index_1`]: "h1.example.com",
        "h0.example.com/note": "seen",
        "h3.example.com/note": "seen",
        [`mutation.${at}/round_0_index_0`]: mutation(0, true),
        [`mutation.${at}/round_0_index_1`]: mutation(1, true),
        [`mutation.${at}/round_0_index_2`]: mutation(2, false),
        [`mutation.${at}/round_0_index_3`]: mutation(3, false),
        [`mutation.${at}/round_1_index_0`]: mutation(0, false),
        [`patch.${at}/round_0_index_0`]: patch(0, "hook", "yes"),
        [`patch.${at}/round_0_index_1`]: patch(1, "times", "1"),
        [`patch.${at}/round_1_index_0`]: patch(0, "hook", "yes"),
        "validation.policy.admission.k8s.io/validation_failure": JSON.stringify([
          validation("a is x", 0),
        ]),
      });
    },
    60_000,
  );

  test.skipIf(skip)("webhooks are counted", async () => {
    const { text } = await server.send({ method: "GET", path: "/metrics" });
    const counted = text.split("\n").flatMap((line) => {
      const found = /^apiserver_admission_webhook_(\w+)\{(.*)\} /u.exec(line);
      if (found === null || !/count|total/u.test(found[1]!) || found[1]!.includes("seconds")) {
        return [];
      }
      return [`${found[1]} ${found[2]!.split(",").sort().join(" ").replaceAll('"', "")}`];
    });
    const request = (i: number, type: string, code = 200) =>
      `request_total code=${code} name=h${i}.example.com operation=CREATE rejected=false type=${type}`;
    expect([...new Set(counted)].sort()).toEqual(
      [
        "fail_open_count name=h1.example.com type=validating",
        "fail_open_count name=h2.example.com type=admit",
        request(0, "admit"),
        request(0, "validating"),
        request(1, "admit"),
        request(1, "validating", 500),
        request(2, "admit", 500),
        request(3, "admit"),
      ].sort(),
    );
  });

  test.skipIf(skip)("Pod Security", async () => {
    const pod = (name: string) => ({
      metadata: { name },
      spec: { containers: [{ name: "c", image: "i" }], hostNetwork: true },
    });
    const labels = { "pod-security.kubernetes.io/audit": "baseline" };
    await post("/api/v1/namespaces", { metadata: { name: "watched", labels } });
    for (const namespace of ["default", "watched"]) {
      await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
        metadata: { name: "default" },
      });
      await post(`/api/v1/namespaces/${namespace}/pods`, pod("p"));
    }
    const domain = "pod-security.kubernetes.io";
    expect(await annotations("/api/v1/namespaces/default/pods")).toEqual({
      [`${domain}/enforce-policy`]: "privileged:latest",
    });
    expect(await annotations("/api/v1/namespaces/watched/pods")).toEqual({
      [`${domain}/audit-violations`]:
        'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
      [`${domain}/enforce-policy`]: "privileged:latest",
    });
  });
});
