import { createServer } from "node:http";
import { expect, test } from "vitest";
import { serveHTTP } from "./serve-http.ts";

test("a free port, and an end that waits for no connection", async () => {
  // Half an answer: a server that waited for it would never end.
  const server = createServer((_request, response) => void response.write("never ends"));
  const serving = await serveHTTP(server, { host: "127.0.0.1", port: 0 });
  const answer = await fetch(`http://127.0.0.1:${serving.port}/`);
  await serving.close();
  await expect(answer.text()).rejects.toThrow();
});

test("a port that is taken is told", async () => {
  const at = { host: "127.0.0.1", port: 0 };
  const first = await serveHTTP(createServer(), at);
  const second = serveHTTP(createServer(), { ...at, port: first.port });
  await expect(second).rejects.toThrow("EADDRINUSE");
  await first.close();
});
