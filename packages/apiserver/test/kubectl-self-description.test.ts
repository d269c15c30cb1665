/**
 * kubectl itself reads our discovery and OpenAPI: explain, api-resources, and the merge keys by
 * which apply computes its patch. The server is nothing but those documents and one Deployment.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resources } from "@nanokube/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDiscovery } from "../src/core/discovery/discovery.ts";
import { createOpenAPIServer } from "../src/core/openapi/serve-openapi.ts";
import { findUpstream, missingReason } from "./upstream.ts";

const kubectl = findUpstream("kubectl");
const missing = missingReason("kubectl");
const works = kubectl !== undefined && spawnSync(kubectl, ["version", "--client"]).status === 0;
const reason = works ? "" : ` (skipped: ${missing ?? "kubectl does not run here"})`;

const ga = resources.filter((r) => r.ga);
const discovery = buildDiscovery({ resources: ga, serverAddress: "127.0.0.1" });
const serveOpenAPI = createOpenAPIServer({
  resources: () => ({ resources: ga }),
  generation: () => 1,
  sha512: (bytes) => createHash("sha512").update(bytes).digest("hex").toUpperCase(),
  yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
});

function deployment(...names: string[]) {
  const containers = names.map((name) => ({ name, image: `${name}:1` }));
  const labels = { app: "web" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

const before = deployment("one", "two");
const live = {
  ...before,
  metadata: {
    ...before.metadata,
    resourceVersion: "1",
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(before) },
  },
};

/** The answer to a GET of what is not OpenAPI. */
function answer(path: string): { status: number; type: string; body: string } {
  const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  if (path === "/api" || path === "/apis") {
    const list = path === "/api" ? discovery.aggregatedCore() : discovery.aggregated();
    return { status: 200, type: aggregated, body: JSON.stringify(list) };
  }
  const found = path.endsWith("/deployments/web");
  const body = JSON.stringify(found ? live : { kind: "Status", apiVersion: "v1", code: 404 });
  return { status: found ? 200 : 404, type: "application/json", body };
}

interface Call {
  method: string;
  url: string;
  body: string;
}

describe.skipIf(!works)(`kubectl${reason}`, () => {
  const calls: Call[] = [];
  let server: Server;
  let cache: string;
  let url: string;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: target = "" } = request;
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    calls.push({ method, url: target, body });
    const { pathname: path, searchParams: query } = new URL(target, "http://server");
    const headers = { accept: request.headers.accept ?? "" };
    const never = new AbortController().signal;
    const none = async () => new Uint8Array();
    const described = await serveOpenAPI({
      method,
      path,
      query,
      headers,
      body: none,
      signal: never,
    });
    if (described !== undefined) {
      response.writeHead(described.status, described.headers).end(described.body);
      return;
    }
    const { status, type, body: text } = answer(path);
    response.writeHead(status, { "content-type": type }).end(text);
  }

  beforeAll(async () => {
    cache = mkdtempSync(join(tmpdir(), "nanokube-kubectl-"));
    server = createServer((request, response) => void serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    rmSync(cache, { recursive: true, force: true });
  });

  /** Asynchronous: the server runs in this very process. */
  function run(args: string[], input = ""): Promise<{ code: number | null; text: string }> {
    const flags = ["--kubeconfig=/dev/null", `--server=${url}`, `--cache-dir=${cache}`];
    const child = spawn(kubectl!, [...flags, ...args], { stdio: "pipe" });
    child.stdin.end(input);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
    }
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, text })));
  }

  test("explain finds fields, their types and which are required", async () => {
    const { code, text } = await run(["explain", "pods.spec.containers"]);
    expect(text).toContain("FIELD: containers <[]Container>");
    expect(text).toMatch(/name\t<string> -required-/);
    expect(text).toMatch(/imagePullPolicy\t<string>\n\s+enum: Always, IfNotPresent, Never/);
    expect(code).toBe(0);
  });

  test("explain reads v2, too", async () => {
    const args = ["explain", "deployments.spec", "--output=plaintext-openapiv2"];
    const { code, text } = await run(args);
    expect(text).toContain("selector\t<Object> -required-");
    expect(code).toBe(0);
  });

  test("api-resources lists every resource, in its preferred version", async () => {
    const { text } = await run(["api-resources", "--no-headers"]);
    const names = new Set(ga.map(({ group, plural }) => `${group}/${plural}`));
    expect(text.trim().split("\n")).toHaveLength(names.size);
    expect(text).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
  });

  test("apply merges containers by name, and asks the server to validate", async () => {
    const { code, text } = await run(["apply", "-f", "-"], JSON.stringify(deployment("one")));
    expect(text).toContain("deployment.apps/web configured");
    expect(code).toBe(0);
    const patch = calls.find(({ method }) => method === "PATCH");
    expect(patch?.url).toContain("fieldValidation=Strict");
    const { containers } = JSON.parse(patch!.body).spec.template.spec;
    expect(containers).toEqual([{ $patch: "delete", name: "two" }]);
  });
});
