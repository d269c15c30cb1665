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
import { encodeV2, encodeV3 } from "../src/core/openapi/gnostic.ts";
import { buildOpenAPI, openAPIv3Index } from "../src/core/openapi/openapi.ts";
import { findUpstream } from "./upstream.ts";

const kubectl = findUpstream("kubectl");
const works = kubectl !== undefined && spawnSync(kubectl, ["version", "--client"]).status === 0;
const reason = works ? "" : " (skipped: no kubectl on this machine)";

const ga = resources.filter((r) => r.ga);
const discovery = buildDiscovery({ resources: ga, serverAddress: "127.0.0.1" });
const api = buildOpenAPI({ resources: ga });

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

/** The answer to a GET: a document, or bytes. */
function answer(path: string, accept: string): { type: string; body: string | Uint8Array } {
  const json = (document: unknown) => ({
    type: "application/json",
    body: JSON.stringify(document) ?? JSON.stringify({ kind: "Status", code: 404 }),
  });
  const isProto = accept.includes("proto-openapi");
  const proto = (version: string, body: Uint8Array) => ({
    type: `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf`,
    body,
  });
  if (path === "/api" || path === "/apis") {
    const list = path === "/api" ? discovery.aggregatedCore() : discovery.aggregated();
    const type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    return { type, body: JSON.stringify(list) };
  }
  if (path === "/openapi/v2") return isProto ? proto("v2", encodeV2(api.v2())) : json(api.v2());
  if (path === "/openapi/v3") {
    const sha512 = (text: string) => createHash("sha512").update(text).digest("hex").toUpperCase();
    return json(openAPIv3Index(api, (name) => sha512(JSON.stringify(api.v3(name)))));
  }
  const document = api.v3(path.replace(/^\/openapi\/v3\//, ""));
  if (document !== undefined) return isProto ? proto("v3", encodeV3(document)) : json(document);
  return json(path.endsWith("/deployments/web") ? live : undefined);
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

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url: target = "" } = request;
      calls.push({ method, url: target, body: Buffer.concat(chunks).toString() });
      const { pathname } = new URL(target, "http://server");
      const { type, body } = answer(pathname, request.headers.accept ?? "");
      const found = typeof body !== "string" || !body.includes('"code":404');
      response.writeHead(found ? 200 : 404, { "content-type": type }).end(body);
    });
  }

  beforeAll(async () => {
    cache = mkdtempSync(join(tmpdir(), "nanokube-kubectl-"));
    server = createServer(serve);
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
