/**
 * A group that another server serves, behind ours and behind kube-apiserver: who asks is told by
 * front-proxy headers, discovery is merged, and what is down says so.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const group = "wardle.example.com";
const resources = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: `${group}/v1alpha1`,
  resources: [
    {
      name: "flunders",
      singularName: "flunder",
      namespaced: true,
      kind: "Flunder",
      verbs: ["get"],
    },
  ],
};

const described = `apis/${group}/v1alpha1`;
const documents: Readonly<Record<string, unknown>> = {
  "/openapi/v3": {
    paths: { [described]: { serverRelativeURL: `/openapi/v3/${described}?hash=1` } },
  },
  [`/openapi/v3/${described}`]: { openapi: "3.0.0", info: { title: "Wardle", version: "1" } },
  "/openapi/v2": {
    swagger: "2.0",
    info: { title: "Wardle", version: "1" },
    paths: {
      [`/${described}/flunders`]: {
        get: {
          operationId: "listFlunders",
          responses: { 200: { description: "OK", schema: { $ref: "#/definitions/Flunder" } } },
        },
      },
      "/elsewhere": {},
    },
    definitions: { Flunder: { type: "object" } },
  },
};

async function makeKeys(dir: string): Promise<void> {
  const run = (...argv: string[]) => execa("openssl", argv, { cwd: dir });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const self = (name: string, cn: string, ...more: string[]) =>
    run(
      "req",
      "-x509",
      ...ec,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.crt`,
      "-subj",
      cn,
      ...more,
    );
  await self("front-ca", "/CN=front-ca");
  const names = "subjectAltName=DNS:wardle.default.svc";
  await self("extension", "/CN=extension", "-addext", names);
  await run("req", ...ec, "-keyout", "front.key", "-out", "front.csr", "-subj", "/CN=front-proxy");
  const signed = ["-CA", "front-ca.crt", "-CAkey", "front-ca.key", "-CAcreateserial", "-days", "2"];
  await run("x509", "-req", "-in", "front.csr", "-out", "front.crt", ...signed);
}

/** Believes who the front proxy says is asking, and tells it back. */
function answer(request: IncomingMessage, response: ServerResponse): unknown {
  const peer = (request.socket as import("node:tls").TLSSocket).getPeerCertificate();
  const send = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (peer.subject?.CN !== "front-proxy") return send(401, {});
  if (request.url === `/apis/${group}/v1alpha1`) return send(200, resources);
  const document = documents[new URL(request.url ?? "", "https://x").pathname];
  if (document !== undefined) return send(200, document);
  if (!request.url?.includes("/flunders")) return send(404, {});
  const identity = Object.entries(request.headers).filter(([name]) => name.startsWith("x-remote-"));
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => void chunks.push(chunk));
  return request.on("end", () =>
    send(200, {
      method: request.method,
      url: request.url,
      identity: Object.fromEntries(identity.sort()),
      authorization: request.headers.authorization ?? null,
      body: Buffer.concat(chunks).toString(),
    }),
  );
}

/** Agrees, tells who it thinks is there, then says everything back. */
function echo(request: IncomingMessage, socket: Duplex): void {
  const lead = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo/1";
  socket.write(`${lead}\r\n\r\nhello ${request.headers["x-remote-user"]} ${request.url}\n`);
  socket.on("data", (chunk: Buffer) => void socket.write(chunk.toString().toUpperCase()));
  socket.on("error", () => socket.destroy());
}

/** The answer to an upgrade, until these words have come; `says` is sent once it is agreed. */
function upgraded(url: string, path: string, says: string, words: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
    let text = "";
    const timer = setTimeout(() => socket.destroy(new Error(`no ${words} in ${text}`)), 10_000);
    socket.on("data", (chunk: Buffer) => {
      if (text === "") socket.write(says);
      text += chunk.toString();
      if (text.includes(words)) socket.end();
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.on("error", reject);
    const headers = "Connection: Upgrade\r\nUpgrade: echo/1\r\nAuthorization: Bearer jane-token";
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n${headers}\r\n\r\n`);
  });
}

describe.each(apiServerSubjects())("$name", ({ open, skip }) => {
  let dir: string;
  let extension: Server;
  let server: ApiServerInstance;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "conformance-aggregation-"));
    if (skip !== undefined) return;
    await makeKeys(dir);
    const read = (name: string) => readFile(join(dir, name));
    const tls = { cert: await read("extension.crt"), key: await read("extension.key") };
    const ask = { ca: await read("front-ca.crt"), requestCert: true, rejectUnauthorized: false };
    extension = createServer({ ...tls, ...ask }, answer);
    extension.on("upgrade", echo);
    await new Promise<void>((resolve) => extension.listen(0, "localhost", resolve));
    server = await open([
      `--requestheader-client-ca-file=${join(dir, "front-ca.crt")}`,
      "--requestheader-allowed-names=front-proxy",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-username-headers=X-Remote-User",
      `--proxy-client-cert-file=${join(dir, "front.crt")}`,
      `--proxy-client-key-file=${join(dir, "front.key")}`,
    ]);
  }, 90_000);
  afterAll(async () => {
    await server?.close();
    extension?.closeAllConnections();
    await new Promise((resolve) => (extension ? extension.close(resolve) : resolve(undefined)));
    await rm(dir, { recursive: true, force: true });
  });

  const get = async (path: string, headers = {}) => server.send({ method: "GET", path, headers });
  const condition = async () => {
    const { text } = await get(`/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.${group}`);
    const [{ status, reason, message } = {} as Record<string, string>] =
      JSON.parse(text).status?.conditions ?? [];
    return { status, reason, message };
  };
  const flunders = `/apis/${group}/v1alpha1/namespaces/default/flunders`;

  test.skipIf(skip)(
    "an APIService without its Service is not available",
    async () => {
      const caBundle = (await readFile(join(dir, "extension.crt"))).toString("base64");
      const { port } = extension.address() as AddressInfo;
      const body = {
        apiVersion: "apiregistration.k8s.io/v1",
        kind: "APIService",
        metadata: { name: `v1alpha1.${group}` },
        spec: {
          group,
          version: "v1alpha1",
          groupPriorityMinimum: 1000,
          versionPriority: 15,
          caBundle,
          service: { namespace: "default", name: "wardle", port },
        },
      };
      const path = "/apis/apiregistration.k8s.io/v1/apiservices";
      expect((await server.send({ method: "POST", path, body })).status).toBe(201);
      await expect.poll(condition, { timeout: 20_000 }).toEqual({
        status: "False",
        reason: "ServiceNotFound",
        message: 'service/wardle in "default" is not present',
      });
      const down = await get(flunders);
      expect(down).toMatchObject({ status: 503, text: "service unavailable\n" });
      expect(down.headers["content-type"]).toBe("text/plain; charset=utf-8");
    },
    40_000,
  );

  test.skipIf(skip)(
    "with it, its group is discovered and served",
    async () => {
      const body = {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "wardle" },
        spec: { type: "ExternalName", externalName: "localhost" },
      };
      const path = "/api/v1/namespaces/default/services";
      expect((await server.send({ method: "POST", path, body })).status).toBe(201);
      const well = { status: "True", reason: "Passed", message: "all checks passed" };
      await expect.poll(condition, { timeout: 40_000 }).toEqual(well);
      const groups = async () =>
        JSON.parse((await get("/apis")).text).groups.find(
          ({ name }: { name: string }) => name === group,
        );
      await expect.poll(groups, { timeout: 10_000 }).toEqual({
        name: group,
        versions: [{ groupVersion: `${group}/v1alpha1`, version: "v1alpha1" }],
        preferredVersion: { groupVersion: `${group}/v1alpha1`, version: "v1alpha1" },
      });
      expect(JSON.parse((await get(`/apis/${group}/v1alpha1`)).text)).toEqual(resources);
      const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
      const aggregated = async () => {
        const { items } = JSON.parse((await get("/apis", { accept })).text);
        const found = items.find(
          (item: { metadata: { name: string } }) => item.metadata.name === group,
        );
        const [version] = found?.versions ?? [];
        const [{ resource, scope, verbs } = {} as Record<string, unknown>] =
          version?.resources ?? [];
        return { freshness: version?.freshness, resource, scope, verbs };
      };
      const fresh = {
        freshness: "Current",
        resource: "flunders",
        scope: "Namespaced",
        verbs: ["get"],
      };
      await expect.poll(aggregated, { timeout: 10_000 }).toEqual(fresh);
    },
    90_000,
  );

  test.skipIf(skip)(
    "the caller is told by headers, and nobody can forge them",
    async () => {
      const headers = {
        "x-remote-user": "mallory",
        "x-remote-extra-scopes": "all",
        "content-type": "application/json",
        "impersonate-user": "jane",
        "impersonate-group": "developers",
        "impersonate-extra-acme.com%2fproject": "some",
      };
      const body = { kind: "Flunder" };
      const role = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: { name: "flunders" },
        rules: [{ apiGroups: [group], resources: ["*"], verbs: ["*"] }],
      };
      const rbac = "/apis/rbac.authorization.k8s.io/v1";
      await server.send({ method: "POST", path: `${rbac}/clusterroles`, body: role });
      const refused = await server.send({ method: "POST", path: flunders, body, headers });
      expect(refused.status).toBe(403);
      const binding = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: "flunders" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "flunders" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
      };
      await server.send({ method: "POST", path: `${rbac}/clusterrolebindings`, body: binding });
      const ask = () => server.send({ method: "POST", path: `${flunders}?a=1`, body, headers });
      await expect.poll(async () => (await ask()).status, { timeout: 5_000 }).toBe(200);
      expect(JSON.parse((await ask()).text)).toEqual({
        method: "POST",
        url: `${flunders}?a=1`,
        identity: {
          "x-remote-extra-acme.com%2fproject": "some",
          "x-remote-group": "developers, system:authenticated",
          "x-remote-user": "jane",
        },
        authorization: null,
        body: JSON.stringify(body),
      });
    },
    30_000,
  );

  test.skipIf(skip)(
    "what it describes is among what this server describes",
    async () => {
      const path = `/openapi/v3/${described}`;
      const link = async () => JSON.parse((await get("/openapi/v3")).text).paths[described];
      await expect.poll(link, { timeout: 60_000 }).toEqual({ serverRelativeURL: `${path}?hash=1` });
      expect(JSON.parse((await get(path)).text)).toEqual(documents[path]);
      const whole = async () => {
        const { paths, definitions } = JSON.parse((await get("/openapi/v2")).text);
        const [flunders, elsewhere] = [paths[`/${described}/flunders`], paths["/elsewhere"]];
        const { Flunder } = definitions;
        return { id: flunders?.get.operationId, elsewhere, Flunder };
      };
      const merged = { elsewhere: undefined, id: "listFlunders", Flunder: { type: "object" } };
      await expect.poll(whole, { timeout: 60_000 }).toEqual(merged);
    },
    130_000,
  );

  test.skipIf(skip)("an upgrade goes through to it", async () => {
    const text = await upgraded(server.url, `${flunders}/a/exec?b=c`, "say this", "SAY THIS");
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toBe(
      `hello jane ${flunders}/a/exec?b=c\nSAY THIS`,
    );
  });

  test.skipIf(skip)(
    "a server that has gone is told by the condition",
    async () => {
      extension.closeAllConnections();
      await new Promise((resolve) => extension.close(resolve));
      const down = await get(flunders);
      expect(down.status).toBe(503);
      expect(down.text).toMatch(
        /^(error trying to reach service: dial tcp .*: connect: connection refused|service unavailable)\n$/,
      );
      const touched = { metadata: { annotations: { touched: "yes" } } };
      await server.send({
        method: "PATCH",
        path: "/api/v1/namespaces/default/services/wardle",
        headers: { "content-type": "application/merge-patch+json" },
        body: touched,
      });
      await expect
        .poll(condition, { timeout: 60_000 })
        .toMatchObject({ status: "False", reason: "FailedDiscoveryCheck" });
      const refused = await upgraded(server.url, `${flunders}/a/exec`, "", "unavailable");
      expect(refused).toMatch(/^HTTP\/1\.1 503 Service Unavailable/);
      expect(await get(flunders)).toMatchObject({ status: 503, text: "service unavailable\n" });
    },
    90_000,
  );
});
