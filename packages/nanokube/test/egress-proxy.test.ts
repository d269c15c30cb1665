/** The way out for image pulls: tunnels what can be reached, says why when it cannot. */
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListeningServer } from "@nanokube/machinery/serve-http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEgressProxy } from "../src/io/egress-proxy.ts";

describe("egress proxy", () => {
  let registry: Server;
  let proxy: ListeningServer;
  let registryPort: number;

  beforeEach(async () => {
    registry = createServer((_request, response) => response.end("a manifest"));
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    registryPort = (registry.address() as AddressInfo).port;
    proxy = await startEgressProxy("127.0.0.1", 0, () => true);
  });

  afterEach(async () => {
    await proxy.close();
    registry.closeAllConnections();
    await new Promise((resolve) => registry.close(resolve));
  });

  const connectTo = (authority: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const options = { host: "127.0.0.1", port: proxy.port, method: "CONNECT", path: authority };
      const asked = request(options);
      asked.once("error", reject);
      asked.once("connect", (response, socket) => {
        let body = "";
        socket.on("data", (chunk: Buffer) => {
          body += chunk.toString();
          if (body.includes("a manifest")) socket.end();
        });
        socket.once("close", () => resolve({ status: response.statusCode ?? 0, body }));
        if (response.statusCode === 200) socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
      });
      asked.end();
    });

  test("carries a request through", async () => {
    const { status, body } = await connectTo(`127.0.0.1:${registryPort}`);
    expect(status).toBe(200);
    expect(body).toContain("a manifest");
  });

  test("says that a registry cannot be reached", async () => {
    registry.closeAllConnections();
    await new Promise((resolve) => registry.close(resolve));
    expect((await connectTo(`127.0.0.1:${registryPort}`)).status).toBe(502);
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  });

  test("serves nothing but tunnels", async () => {
    const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
    expect(response.status).toBe(405);
  });
});
