/** What a pod serves, through the API server: every method, whatever the caller accepts. */
import { createServer, type Server } from "node:http";
import { request } from "node:https";
import type { ApiObject } from "@nanokube/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestEnvironment } from "../src/index.ts";

let env: TestEnvironment;
let served: Server;
let port = 0;
const proxy = "/api/v1/namespaces/default/pods/p/proxy";

beforeAll(async () => {
  served = createServer(({ method, url, headers }, response) => {
    const isPage = headers.accept === "text/html";
    response.setHeader("content-type", isPage ? "text/html" : "text/plain");
    if (url === "/moved") response.writeHead(302, { location: "/there" });
    response.end(isPage ? `<a href="/next">${method}</a>` : `${method} ${url}`);
  });
  await new Promise<void>((resolve) => served.listen(0, "127.0.0.1", resolve));
  port = (served.address() as { port: number }).port;
  env = await TestEnvironment.start();
  await env.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: { containers: [{ name: "c", image: "c", ports: [{ containerPort: port }] }] },
    status: { podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }] },
  } as ApiObject);
});
afterAll(async () => {
  await env?.stop();
  served?.closeAllConnections();
  served?.close();
});

interface Seen {
  status: number;
  location: string | undefined;
  text: string;
}

/** As an administrator, over the socket. */
function ask(method: string, path: string, accept = "*/*"): Promise<Seen> {
  const pem = (name: string) =>
    Buffer.from(
      new RegExp(`${name}-data: "?([A-Za-z0-9+/=]+)`).exec(env.kubeconfig)![1]!,
      "base64",
    );
  return new Promise((resolve, reject) => {
    const sent = request(env.server + path, {
      method,
      headers: { accept },
      ca: env.ca,
      cert: pem("client-certificate"),
      key: pem("client-key"),
      agent: false,
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk;
      });
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, location: headers.location, text });
      });
    });
    sent.end();
  });
}

test.for(["DELETE", "OPTIONS", "PATCH", "POST", "PUT"])(
  "%s, with and without a path",
  async (method) => {
    expect(await ask(method, proxy)).toMatchObject({ status: 200, text: `${method} /` });
    expect(await ask(method, `${proxy}/a/b?c=d`)).toMatchObject({
      status: 200,
      text: `${method} /a/b?c=d`,
    });
  },
);

test.for(["GET", "HEAD"])("%s without a path leads to the one with a slash", async (method) => {
  expect(await ask(method, `${proxy}?c=d`)).toMatchObject({
    status: 301,
    location: `${proxy}/?c=d`,
  });
  expect(await ask(method, `${proxy}/`)).toMatchObject({
    status: 200,
    text: method === "HEAD" ? "" : "GET /",
  });
});

test("links and redirects of a page lead through the proxy", async () => {
  expect(await ask("GET", `${proxy}/`, "text/html")).toMatchObject({
    status: 200,
    text: `<a href="${proxy}/next">GET</a>`,
  });
  expect(await ask("GET", `${proxy}/moved`)).toMatchObject({
    status: 302,
    location: `${proxy}/there`,
  });
});

test("a pod that nobody answers for is out of reach", async () => {
  const { status, text } = await ask("GET", `${proxy.replace("pods/p", "pods/p:1")}/`);
  expect(status).toBe(503);
  expect(JSON.parse(text).message).toBe(
    "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused",
  );
});
