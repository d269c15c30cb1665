/** Certificates whose files change while the server runs: whom it knows, and what it shows. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { dirname, join } from "node:path";
import type { TLSSocket } from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const patience = { timeout: 90_000, interval: 250 };
const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

describe.each(apiServerSubjects())("$name", ({ open, skip }) => {
  let server: ApiServerInstance;
  let dir: string;
  beforeAll(async () => {
    if (skip !== undefined) return;
    server = await open();
    dir = dirname(server.kubeconfig);
  }, 90_000);
  afterAll(() => server?.close());

  const openssl = (...argv: string[]) => execa("openssl", argv, { cwd: dir });
  const read = (name: string) => readFile(join(dir, name), "utf8");
  /** As a mounted Secret changes: another file in its place. */
  const replace = async (name: string, text: string) => {
    await writeFile(join(dir, `${name}.new`), text);
    await rename(join(dir, `${name}.new`), join(dir, name));
  };
  const sign = async (name: string, subject: string, ca: string) => {
    await openssl("req", ...ec, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
    const files = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-extfile", "names"];
    const by = ["-CA", `${ca}.crt`, "-CAkey", `${ca}.key`, "-CAcreateserial", "-days", "2"];
    await openssl("x509", "-req", ...files, ...by);
  };
  const ask = async (who: string) => {
    const [ca, cert, key] = await Promise.all(["root.crt", `${who}.crt`, `${who}.key`].map(read));
    return new Promise<{ status: number | undefined; shown: string }>((resolve, reject) => {
      const path = `${server.url}/api/v1/namespaces/default`;
      const sent = request(path, { ca, cert, key, agent: false }, (response) => {
        const shown = (response.socket as TLSSocket).getPeerCertificate().serialNumber;
        response.resume().on("end", () => resolve({ status: response.statusCode, shown }));
      });
      sent.on("error", reject);
      sent.end();
    });
  };
  const statusOf = async (who: string) => (await ask(who)).status;

  test.skipIf(skip)(
    "an authority that is added is trusted, one that is taken away no longer",
    async () => {
      const first = await read("ca.crt");
      await writeFile(join(dir, "root.crt"), first);
      const other = ["-keyout", "other.key", "-out", "other.crt", "-subj", "/CN=other"];
      await openssl("req", "-x509", ...ec, ...other, "-days", "2");
      await sign("bob", "/O=system:masters/CN=bob", "other");
      expect(await statusOf("bob")).toBe(401);
      await replace("ca.crt", first + (await read("other.crt")));
      await expect.poll(() => statusOf("bob"), patience).toBe(200);
      expect(await statusOf("admin")).toBe(200);
      const told = async () => {
        const path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
        const answer = await server.send({ method: "GET", path });
        return JSON.parse(answer.text).data["client-ca-file"];
      };
      const whole = await read("ca.crt");
      await expect.poll(told, patience).toBe(whole);
      await replace("ca.crt", first);
      await expect.poll(() => statusOf("bob"), patience).toBe(401);
    },
    300_000,
  );

  test.skipIf(skip)(
    "the serving certificate is the new one, and callers are still known by theirs",
    async () => {
      const before = (await ask("admin")).shown;
      await sign("renewed", "/CN=kube-apiserver", "ca");
      await replace("server.key", await read("renewed.key"));
      await replace("server.crt", await read("renewed.crt"));
      await expect.poll(async () => (await ask("admin")).shown, patience).not.toBe(before);
      expect(await statusOf("admin")).toBe(200);
    },
    120_000,
  );
});
