/**
 * Upstream's sample-apiserver behind our API server: authentication by front-proxy headers,
 * authorization and admission against ours, its kinds in our discovery, OpenAPI and kubectl.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { freePort } from "../src/subjects/free-ports.ts";
import { findUpstream, missingReason } from "../src/upstream/cache.ts";

const skip = missingReason("sample-apiserver", "kubectl", "etcd");
const group = "wardle.example.com";

/** A front-proxy CA with its client certificate, and what the sample shows. */
async function makeKeys(dir: string): Promise<void> {
  const run = (...argv: string[]) => execa("openssl", argv, { cwd: dir });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const own = (name: string, ...more: string[]) =>
    run("req", ...ec, "-keyout", `${name}.key`, "-subj", `/CN=${name}`, ...more);
  await own("front-ca", "-x509", "-out", "front-ca.crt");
  const names = ["-addext", "subjectAltName=DNS:wardle.default.svc"];
  await own("sample", "-x509", "-out", "sample.crt", ...names);
  await own("front-proxy", "-out", "front.csr");
  const signed = ["-CA", "front-ca.crt", "-CAkey", "front-ca.key", "-CAcreateserial"];
  await run("x509", "-req", "-in", "front.csr", "-out", "front-proxy.crt", "-days", "2", ...signed);
}

describe.skipIf(skip !== undefined)(`sample-apiserver (${skip ?? "behind ours"})`, () => {
  let dir: string;
  let server: ApiServerInstance;
  let sample: ChildProcess | undefined;
  let said = "";
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "conformance-sample-"));
    await makeKeys(dir);
    const file = (name: string) => join(dir, name);
    server = await apiServerSubjects()[0]!.open([
      `--requestheader-client-ca-file=${file("front-ca.crt")}`,
      "--requestheader-allowed-names=front-proxy",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-username-headers=X-Remote-User",
      `--proxy-client-cert-file=${file("front-proxy.crt")}`,
      `--proxy-client-key-file=${file("front-proxy.key")}`,
    ]);
    const port = await freePort();
    const { kubeconfig, storeURL } = server;
    const core = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"];
    sample = spawn(
      findUpstream("sample-apiserver")!,
      [
        ...core.map((flag) => `--${flag}=${kubeconfig}`),
        `--etcd-servers=${storeURL}`,
        `--secure-port=${port}`,
        "--bind-address=127.0.0.1",
        `--tls-cert-file=${file("sample.crt")}`,
        `--tls-private-key-file=${file("sample.key")}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    sample.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
    const caBundle = (await readFile(file("sample.crt"))).toString("base64");
    await post("/api/v1/namespaces/default/services", {
      metadata: { name: "wardle" },
      spec: { type: "ExternalName", externalName: "localhost" },
    });
    for (const version of ["v1alpha1", "v1beta1"]) {
      await post("/apis/apiregistration.k8s.io/v1/apiservices", {
        apiVersion: "apiregistration.k8s.io/v1",
        kind: "APIService",
        metadata: { name: `${version}.${group}` },
        spec: {
          ...{ group, version, caBundle, groupPriorityMinimum: 1000, versionPriority: 15 },
          service: { namespace: "default", name: "wardle", port },
        },
      });
    }
  }, 90_000);
  afterAll(async () => {
    sample?.kill("SIGKILL");
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function post(path: string, body: object): Promise<void> {
    const answer = await server.send({ method: "POST", path, body });
    expect(answer.status, answer.text).toBe(201);
  }
  const get = async (path: string) => {
    const { status, text } = await server.send({ method: "GET", path });
    return status === 200 ? JSON.parse(text) : status;
  };
  const kubectl = async (...argv: string[]) => {
    const all = [`--kubeconfig=${server.kubeconfig}`, `--cache-dir=${dir}/cache`, ...argv];
    return (await execa(findUpstream("kubectl")!, all)).stdout;
  };

  test("its kinds are used, explained and watched as all others", async () => {
    const path = `/apis/${group}/v1alpha1/namespaces/default/flunders`;
    const isThere = async () => (await get(path)).kind ?? said;
    await expect.poll(isThere, { timeout: 60_000 }).toBe("FlunderList");
    const flunder = { apiVersion: `${group}/v1alpha1`, kind: "Flunder" };
    await post(path, { ...flunder, metadata: { name: "a" }, spec: { reference: "b" } });
    expect(await kubectl("get", "flunders", "-o", "name")).toBe("flunder.wardle.example.com/a");
    const beta = await get(`/apis/${group}/v1beta1/namespaces/default/flunders/a`);
    expect(beta).toMatchObject({ apiVersion: `${group}/v1beta1`, metadata: { name: "a" } });
    const watched = await server.lines(`${path}?watch=1`, 1, 10_000);
    expect(JSON.parse(watched[0]!)).toMatchObject({ type: "ADDED", object: flunder });
    expect(await kubectl("api-resources", `--api-group=${group}`)).toMatch(/flunders +wardle/u);
    const explained = () => kubectl("explain", "flunders.spec").catch(() => "");
    await expect.poll(explained, { timeout: 40_000 }).toMatch(/flunderReference\s+<string>/u);
    const whole = async () =>
      Object.keys((await get("/openapi/v2")).paths).filter((one) => one.includes(group));
    await expect.poll(async () => (await whole()).length, { timeout: 40_000 }).toBeGreaterThan(4);
    await server.send({ method: "DELETE", path: `${path}/a` });
    expect(await get(`${path}/a`)).toBe(404);
  }, 180_000);
});
