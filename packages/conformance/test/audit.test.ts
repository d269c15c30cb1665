/**
 * What is written down of requests, by ours and by kube-apiserver: in a file, and sent to a
 * webhook; also of what lasts (watches, exec) and of who was not let in.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect as connectTCP, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTLS, createServer as createTLS } from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const [ours, upstream] = apiServerSubjects();

const policy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", users: ["system:apiserver"] },
    {
      level: "RequestResponse",
      resources: [{ group: "", resources: ["configmaps"] }],
      omitManagedFields: true,
    },
    {
      level: "Request",
      resources: [{ group: "", resources: ["secrets"] }],
      namespaces: ["default"],
      omitStages: ["ResponseStarted"],
    },
    { level: "Metadata", userGroups: ["developers"], verbs: ["get", "list"], omitStages: [] },
    {
      level: "RequestResponse",
      resources: [
        { group: "", resources: ["pods/exec", "*/attach", "pods/portforward", "limitranges/*"] },
      ],
    },
    { level: "Metadata", nonResourceURLs: ["/version*"] },
    { level: "None" },
  ],
};

describe.each([ours!, upstream!])("$name", ({ open, skip }) => {
  let dir: string;
  let server: ApiServerInstance;
  let hook: Awaited<ReturnType<typeof auditHook>>;
  let kubelet: Awaited<ReturnType<typeof upgradingKubelet>>;
  const log = () => join(dir, "logs", "audit.log");

  beforeAll(async () => {
    if (skip !== undefined) return;
    dir = await mkdtemp(join(tmpdir(), "conformance-audit-"));
    hook = await auditHook();
    kubelet = await upgradingKubelet(dir);
    await writeFile(join(dir, "policy.json"), JSON.stringify(policy));
    await writeFile(join(dir, "hook.json"), JSON.stringify(kubeconfigFor(hook.url)));
    server = await open([
      `--audit-policy-file=${join(dir, "policy.json")}`,
      `--audit-log-path=${log()}`,
      `--audit-webhook-config-file=${join(dir, "hook.json")}`,
      "--audit-webhook-mode=blocking",
      "--audit-webhook-truncate-enabled=true",
      "--audit-webhook-truncate-max-event-size=2500",
    ]);
  }, 90_000);
  afterAll(async () => {
    await server?.close();
    hook?.close();
    kubelet?.close();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });

  /** Those in the file that name this word in their path or their caller. */
  const eventsOf = async (word: string): Promise<Event[]> => {
    const text = await readFile(log(), "utf8").catch(() => "");
    const events = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Event);
    return events.filter(({ requestURI, userAgent }) =>
      `${requestURI} ${userAgent}`.includes(word),
    );
  };
  const settled = async (word: string, count: number): Promise<unknown[]> => {
    const known = async () => (await eventsOf(word)).length;
    await expect.poll(known, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
    return (await eventsOf(word)).map(comparable);
  };
  const tagged = { "user-agent": "tester/1" };

  test.skipIf(skip)(
    "events as upstream writes them",
    async () => {
      await sendPlain(server);
      const events = await settled("tester/1", 7);
      await expect(`${JSON.stringify(events, null, 1)}\n`).toMatchFileSnapshot(
        "../testdata/audit-events.json",
      );
    },
    90_000,
  );

  test.skipIf(skip)("who is not let in has an event of one stage", async () => {
    const path = "/api/v1/limitranges?nobody=1";
    await server.send({ method: "GET", path, token: "wrong" });
    expect(await settled("nobody=1", 1)).toMatchObject([
      {
        stage: "ResponseStarted",
        verb: "list",
        user: {},
        responseStatus: { code: 401, reason: "Unauthorized", status: "Failure" },
        responseObject: { kind: "Status", code: 401 },
      },
    ]);
    const late = "/api/v1/limitranges?late=1&timeout=x";
    await server.send({ method: "GET", path: late });
    const [event] = await settled("late=1", 1);
    expect(event).toMatchObject({ stage: "ResponseStarted", user: {} });
    expect(event).toMatchObject({ responseStatus: { code: 400, reason: "BadRequest" } });
  });

  test.skipIf(skip)("a watch begins and ends", async () => {
    const path = "/api/v1/namespaces/default/limitranges?watch=1&timeoutSeconds=1&tag=watching";
    await server.send({ method: "GET", path });
    const stages = (await settled("tag=watching", 2)) as Event[];
    expect(stages.map(({ stage, verb, responseStatus }) => [stage, verb, responseStatus])).toEqual([
      ["ResponseStarted", "watch", { metadata: {}, code: 200 }],
      ["ResponseComplete", "watch", { metadata: {}, code: 200 }],
    ]);
    const late = `${path}-not&fieldSelector=x=y`;
    await server.send({ method: "GET", path: late });
    const refused = (await settled("tag=watching-not", 2)) as Event[];
    expect(refused.map(({ stage }) => stage)).toEqual(["ResponseStarted", "ResponseComplete"]);
    expect(refused[0]).toMatchObject({ responseStatus: { code: 400, reason: "BadRequest" } });
  });

  test.skipIf(skip)("a connection that becomes another has both stages, with 101", async () => {
    const make = (path: string, body: object) => server.send({ method: "POST", path, body });
    await make("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: "n" } });
    const status = {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
    };
    await server.send({
      method: "PATCH",
      path: "/api/v1/nodes/n/status",
      headers: { "content-type": "application/merge-patch+json" },
      body: { status },
    });
    await make(`${inDefault}/serviceaccounts`, account);
    expect((await make(`${inDefault}/pods`, pod)).status).toBe(201);
    const path = `${inDefault}/pods/served/exec?command=ls&stdout=1&tag=joined`;
    expect(await upgraded(server, path)).toContain("101 Switching Protocols");
    const joined = (await settled("tag=joined", 2)) as Event[];
    expect(
      joined.map(({ stage, verb, objectRef, responseStatus, requestObject, responseObject }) => [
        [stage, verb, objectRef?.subresource],
        responseStatus,
        [requestObject, responseObject],
      ]),
    ).toEqual(
      ["ResponseStarted", "ResponseComplete"].map((stage) => [
        [stage, "get", "exec"],
        { metadata: {}, code: 101 },
        [undefined, undefined],
      ]),
    );
  });

  test.skipIf(skip)("an exec into a pod that is not there tells why at both stages", async () => {
    for (const way of ["exec", "attach", "portforward"]) {
      const path = `${inDefault}/pods/none/${way}?command=ls&tag=absent-${way}`;
      expect(await upgraded(server, path)).toContain("404 Not Found");
      const refused = (await settled(`tag=absent-${way}`, 2)) as Event[];
      expect(refused).toMatchObject(
        ["ResponseStarted", "ResponseComplete"].map((stage) => ({
          stage,
          verb: "get",
          responseStatus: { code: 404, reason: "NotFound", message: 'pods "none" not found' },
          responseObject: { kind: "Status" },
        })),
      );
    }
  });

  test.skipIf(skip)("the webhook has it before the caller; what is too large is cut", async () => {
    const path = `${inDefault}/configmaps`;
    const make = (name: string, size: number) =>
      server.send({
        method: "POST",
        path: `${path}?tag=${name}`,
        headers: tagged,
        body: {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name },
          data: { a: "x".repeat(size) },
        },
      });
    await make("small", 10);
    await expect.poll(() => hook.of("tag=small").length, { timeout: 20_000 }).toBe(1);
    const [small] = hook.of("tag=small");
    expect(small).toMatchObject({ responseObject: { data: { a: "x".repeat(10) } } });
    await make("large", 5000);
    // Upstream's caller may be told a moment before it, over HTTP/1.1 with a small answer.
    await expect.poll(() => hook.of("tag=large").length, { timeout: 20_000 }).toBe(1);
    const [large] = hook.of("tag=large");
    expect(large).toMatchObject({ annotations: { "audit.k8s.io/truncated": "true" } });
    expect([large!.requestObject, large!.responseObject]).toEqual([undefined, undefined]);
    const [whole] = await settled("tag=large", 1);
    expect(whole).toMatchObject({ requestObject: { data: { a: "x".repeat(5000) } } });
  });
});

interface Event {
  stage: string;
  verb: string;
  userAgent?: string;
  requestURI: string;
  user: { username: string };
  objectRef?: { subresource?: string };
  [field: string]: unknown;
}

const inDefault = "/api/v1/namespaces/default";
const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "served" },
  spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] },
};

async function sendPlain(server: ApiServerInstance): Promise<void> {
  const headers = { "user-agent": "tester/1" };
  const send = (method: string, path: string, more: object = {}) =>
    server.send({ method, path, headers, ...more });
  const maps = `${inDefault}/configmaps`;
  const body = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "told" },
    data: { a: "1" },
  };
  await send("POST", maps, { body });
  await send("POST", maps, { body });
  await send("GET", `${inDefault}/secrets/none?pretty=false`);
  await send("DELETE", `${maps}/told`);
  await send("GET", "/api/v1/nodes", { token: "jane-token" });
  await send("GET", "/version/");
  const jane = { "impersonate-user": "jane", "impersonate-group": "developers" };
  await send("GET", "/api/v1/namespaces/kube-system/pods/x", { headers: { ...headers, ...jane } });
  await send("GET", "/version");
}

/** Times, names and numbers of one run are taken out; what stays must be equal. */
function comparable(event: Event): unknown {
  const text = JSON.stringify(event, (key, value) => {
    if (/timestamp$/i.test(key)) return "time";
    if (["auditID", "uid", "resourceVersion"].includes(key)) return key;
    if (["authentication.kubernetes.io/credential-id", "extra"].includes(key)) return undefined;
    return value;
  });
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sort);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toSorted()
        .map(([key, inner]) => [key, sort(inner)]),
    );
  };
  return sort(JSON.parse(text));
}

const kubeconfigFor = (server: string) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "hook", cluster: { server } }],
  contexts: [{ name: "hook", context: { cluster: "hook" } }],
  "current-context": "hook",
});

const listening = (server: NetServer): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });

/** Takes lists of events and keeps them. */
async function auditHook() {
  const events: Event[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      events.push(...(JSON.parse(Buffer.concat(chunks).toString()) as { items: Event[] }).items);
      response.end("{}");
    });
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}/audit`,
    of: (word: string) => events.filter(({ requestURI }) => requestURI.includes(word)),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Agrees to every upgrade, says a word and ends. */
async function upgradingKubelet(dir: string) {
  const [key, cert] = [join(dir, "kubelet.key"), join(dir, "kubelet.crt")];
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const files = ["-keyout", key, "-out", cert, "-subj", "/CN=kubelet"];
  await execa("openssl", ["req", "-x509", ...ec, ...files]);
  const server = createTLS({ key: await readFile(key), cert: await readFile(cert) }, (socket) => {
    socket.on("error", () => socket.destroy());
    const lead = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1";
    socket.once("data", () => socket.end(`${lead}\r\n\r\nhello`));
  });
  const port = await listening(server);
  return { port, close: () => void server.close() };
}

/** What comes back when a connection is to become another. */
async function upgraded(server: ApiServerInstance, path: string): Promise<string> {
  const { hostname, port, host } = new URL(server.url);
  const tls = await server.credentials();
  const socket = connectTLS({ socket: connectTCP(Number(port), hostname), ...tls });
  const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1`;
  socket.write(`${head}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let text = "";
    const finish = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (text.includes("hello") || text.includes("Not Found")) finish();
    });
    socket.on("end", finish);
    socket.on("error", reject);
    setTimeout(finish, 10_000).unref();
  });
}
