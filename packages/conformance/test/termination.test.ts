/** A server that is told to end, and one whose certificate is renewed: ours and kube-apiserver. */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect } from "node:tls";
import { execa } from "execa";
import { describe, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

function fingerprint(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
  });
}

// All at once: each waits a minute for a server of its own.
describe.concurrent.each(apiServerSubjects())("$name", ({ open, skip }) => {
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  test.skipIf(skip)(
    "it says that it is not ready, goes on for the delay, and ends",
    async ({ expect, onTestFinished }) => {
      const one: ApiServerInstance = await open(["--shutdown-delay-duration=4s"]);
      onTestFinished(() => one.close());
      const { pid } = one;
      const readyz = async () =>
        (await one.send({ method: "GET", path: "/readyz" }).catch(() => undefined))?.status;
      const watch = one.lines("/api/v1/namespaces?watch=true&resourceVersion=0", 1000, 8_000);
      const toldMs = Date.now();
      process.kill(pid, "SIGTERM");
      await expect.poll(readyz, { timeout: 3_000, interval: 50 }).toBe(500);
      const list = await one.send({ method: "GET", path: "/api/v1/namespaces" });
      expect(list.status).toBe(200);
      expect((await one.send({ method: "GET", path: "/livez" })).status).toBe(200);
      await expect.poll(() => isAlive(pid), { timeout: 100_000 }).toBe(false);
      expect(Date.now() - toldMs).toBeGreaterThan(3_500);
      expect((await watch).length).toBeGreaterThan(3);
    },
    120_000,
  );

  test.skipIf(skip)(
    "a new certificate is shown to who connects from then on",
    async ({ expect, onTestFinished }) => {
      const server: ApiServerInstance = await open();
      onTestFinished(() => server.close());
      const before = await fingerprint(server.url);
      const dir = dirname(server.kubeconfig);
      const names = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-subj",
        "/CN=renewed",
        "-days",
        "2",
      ];
      const files = ["-keyout", "new.key", "-out", "new.crt"];
      const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      await execa("openssl", ["req", "-x509", ...ec, ...files, ...names], { cwd: dir });
      await writeFile(join(dir, "server.key"), await readFile(join(dir, "new.key")));
      await writeFile(join(dir, "server.crt"), await readFile(join(dir, "new.crt")));
      const { url } = server;
      await expect
        .poll(() => fingerprint(url), { timeout: 80_000, interval: 250 })
        .not.toBe(before);
    },
    150_000,
  );
});
