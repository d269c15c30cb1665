/** WebSocket upgrades against a server of `ws`: protocol, headers, refusal. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { StatusError } from "@nanokube/machinery";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { openUpgrade } from "../src/index.ts";

describe("openUpgrade", () => {
  let server: Server;
  let sockets: WebSocketServer;
  let url: string;
  const seen: Record<string, string | string[] | undefined>[] = [];

  beforeEach(async () => {
    sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => [...offered].find((p) => p === "v4.channel.k8s.io") ?? false,
    });
    server = createServer();
    server.on("upgrade", (request, socket, head) => {
      seen.push(request.headers);
      if (request.url?.startsWith("/api/v1/forbidden")) {
        const body = JSON.stringify({
          kind: "Status",
          apiVersion: "v1",
          status: "Failure",
          reason: "Forbidden",
          message: 'pods "web" is forbidden: no',
          code: 403,
        });
        const length = `content-length: ${body.length}`;
        socket.end(`HTTP/1.1 403 Forbidden\r\n${length}\r\nconnection: close\r\n\r\n${body}`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (ws) => {
        ws.on("message", (data) => ws.send(data));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.close();
    server.closeAllConnections();
    await once(server, "close");
    seen.length = 0;
  });

  test("agrees on a protocol, says who asks, carries bytes both ways", async () => {
    const config = {
      server: url,
      token: "t0ken",
      impersonate: { user: "jane", groups: ["dev", "ops"] },
    };
    const path = "/api/v1/namespaces/d/pods/web/exec?command=sh";
    const socket = openUpgrade(config, path, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    await once(socket, "open");
    expect(socket.protocol).toBe("v4.channel.k8s.io");
    expect(seen[0]).toMatchObject({
      authorization: "Bearer t0ken",
      "impersonate-user": "jane",
      "impersonate-group": "dev, ops",
    });
    socket.send(new Uint8Array([0, 104, 105]));
    const [data] = (await once(socket, "message")) as [Buffer];
    expect([...data]).toEqual([0, 104, 105]);
    socket.close();
    await once(socket, "close");
  });

  test("a refusal is the server's own words", async () => {
    const socket = openUpgrade({ server: url }, "/api/v1/forbidden", ["v5.channel.k8s.io"]);
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
    expect(error).toBeInstanceOf(StatusError);
    expect(error.message).toBe('pods "web" is forbidden: no');
  });

  test("nobody there", async () => {
    const socket = openUpgrade({ server: "http://127.0.0.1:1" }, "/x", ["v5.channel.k8s.io"]);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) =>
      socket.once("error", resolve),
    );
    expect(error.code).toBe("ECONNREFUSED");
  });
});
