/** Connections that leave HTTP: over TCP, and inside the process. */
import { afterEach, describe, expect, test } from "vitest";
import { type Channel, codes, createServer, dial, RpcError, type RpcServer } from "../src/index.ts";

let server: RpcServer;
let channel: Channel;
afterEach(async () => {
  channel.close();
  await server.close();
});

function createEcho(): RpcServer {
  return createServer({
    upgrade({ protocol, headers, path }, accept) {
      if (protocol !== "echo") throw new RpcError(codes.UNIMPLEMENTED, `unknown: ${protocol}`);
      const stream = accept();
      stream.write(Buffer.from(`${path} ${headers["x-who"]};`));
      stream.on("data", (bytes) => stream.write(bytes));
    },
  });
}

describe.each(["tcp", "memory"])("over %s", (way) => {
  async function open(): Promise<Channel> {
    server = createEcho();
    if (way === "memory") channel = server.memory();
    else {
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      channel = dial(`http://127.0.0.1:${port}`);
    }
    return channel;
  }

  test("bytes flow both ways", async () => {
    await open();
    const headers = { "x-who": "me" };
    const stream = await channel.upgrade({ protocol: "echo", path: "/here", headers });
    let text = "";
    const isDone = new Promise<void>((resolve) => {
      stream.on("data", (bytes) => {
        text += bytes.toString();
        if (text.endsWith("!")) resolve();
      });
    });
    stream.write(Buffer.from("hello!"));
    await isDone;
    expect(text).toBe("/here me;hello!");
    const isClosed = new Promise<void>((resolve) => stream.on("close", resolve));
    stream.destroy();
    await isClosed;
  });

  test("a refusal is an RpcError, as for a call", async () => {
    await open();
    await expect(channel.upgrade({ protocol: "other" })).rejects.toMatchObject({
      code: codes.UNIMPLEMENTED,
      details: "unknown: other",
    });
  });
});

test("no server there: UNAVAILABLE", async () => {
  server = createEcho();
  channel = dial("http://127.0.0.1:1");
  await expect(channel.upgrade({ protocol: "echo" })).rejects.toMatchObject({
    code: codes.UNAVAILABLE,
  });
});
