/**
 * Who may act as whom, and for what: constrained impersonation and the legacy kind, and what the
 * audit says of it. Each answer is what kube-apiserver answered when it was recorded
 * (`RECORD=1 vitest run packages/conformance/test/impersonation.test.ts`).
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import {
  callers,
  type ImpersonationCase,
  impersonationCases,
} from "../src/rest/impersonation-cases.ts";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const file = fileURLToPath(new URL("../testdata/impersonation-answers.json", import.meta.url));
const isRecording = process.env["RECORD"] === "1";
const recorded: Record<string, Record<string, unknown>> = isRecording
  ? {}
  : JSON.parse(await readFile(file, "utf8"));
const accounts = "/api/v1/namespaces/default/serviceaccounts";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const modes = { constrained: [], legacy: ["--feature-gates=ConstrainedImpersonation=false"] };

for (const subject of apiServerSubjects()) {
  if (isRecording && subject.name === "apiserver") continue;
  describe.skipIf(subject.skip)(`${subject.name}${subject.skip ? `: ${subject.skip}` : ""}`, () => {
    test.for(Object.entries(modes))("%s", { timeout: 120_000 }, async ([mode, flags]) => {
      const dir = await mkdtemp(join(tmpdir(), "conformance-impersonation-"));
      const rules = [{ level: "Metadata", omitStages: ["RequestReceived"] }];
      const policy = { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules };
      await writeFile(join(dir, "policy.json"), JSON.stringify(policy));
      const audit = join(dir, "audit.log");
      const server = await subject.open([
        `--audit-policy-file=${join(dir, "policy.json")}`,
        `--audit-log-path=${audit}`,
        ...flags,
      ]);
      try {
        const tokens = await prepare(server);
        await runAll(mode, (one, id) => ask(server, tokens[one.caller]!, one, id));
        await tellAll(mode, audit);
      } finally {
        await server.close();
        await rm(dir, { recursive: true, force: true });
      }
    });
  });
}

afterAll(async () => {
  if (isRecording) await writeFile(file, `${JSON.stringify(recorded, null, 1)}\n`);
});

type AskOne = (one: ImpersonationCase, auditID: string) => Promise<unknown>;

async function runAll(mode: string, askOne: AskOne): Promise<void> {
  // Upstream's authorizer hears of roles through a watch.
  if (isRecording) await new Promise((resolve) => setTimeout(resolve, 3000));
  const answers = isRecording ? {} : recorded[mode]!;
  recorded[mode] = answers;
  for (const [index, [name, one]] of impersonationCases.entries()) {
    const answer = () => askOne(one, `case-${index}`);
    if (isRecording) answers[name] = await answer();
    await expect.poll(answer, { timeout: 20_000, message: name }).toEqual(answers[name]);
  }
}

/** What the audit log says of each. */
async function tellAll(mode: string, audit: string): Promise<void> {
  const lines = (await readFile(audit, "utf8")).trim().split("\n");
  const told = new Map<string, unknown>();
  for (const line of lines) {
    const { auditID, impersonatedUser, authenticationMetadata } = JSON.parse(line);
    told.set(auditID, { impersonatedUser, authenticationMetadata });
  }
  const all = impersonationCases.map(([name], index) => [name, told.get(`case-${index}`)]);
  const key = `${mode}, audit`;
  const plain = JSON.parse(JSON.stringify(Object.fromEntries(all)));
  if (isRecording) recorded[key] = plain;
  expect(plain).toEqual(recorded[key]);
}

async function ask(
  server: ApiServerInstance,
  token: string,
  { wish, method, path }: ImpersonationCase,
  auditID: string,
): Promise<unknown> {
  const review = { kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1" };
  const { status, text } = await server.send({
    method,
    path,
    token,
    headers: { ...(wish as Record<string, string>), "audit-id": auditID },
    ...(method === "POST" ? { body: review } : {}),
  });
  const body = JSON.parse(text);
  return [status, body.status?.userInfo ?? body.message ?? body.kind];
}

/** Tokens of pods on one node. */
async function prepare(server: ApiServerInstance): Promise<Record<string, string>> {
  const make = async (path: string, body: object) => {
    const answer = await server.send({ method: "POST", path, body });
    expect(answer.status, answer.text).toBe(201);
    return JSON.parse(answer.text);
  };
  const tokens: Record<string, string> = {};
  await make("/api/v1/nodes", { metadata: { name: "node-1" } });
  for (const [name, rules] of Object.entries(callers)) {
    await make(accounts, { metadata: { name } });
    await make(`${rbac}/clusterroles`, { metadata: { name }, rules });
    await make(`${rbac}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", namespace: "default", name }],
    });
    const spec = { serviceAccountName: name, nodeName: "node-1" };
    const containers = [{ name: "c", image: "a:1" }];
    const pod = await make("/api/v1/namespaces/default/pods", {
      metadata: { name },
      spec: { ...spec, containers },
    });
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name, uid: pod.metadata.uid };
    const token = await make(`${accounts}/${name}/token`, { spec: { boundObjectRef } });
    tokens[name] = token.status.token;
  }
  return tokens;
}
