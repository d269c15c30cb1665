/**
 * Encryption at rest: what ours seals, kube-apiserver opens, and the other way, on one etcd; keys
 * rotate, and what was written before stays readable.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { KmsPlugin } from "../src/subjects/kms-plugin.ts";
import { findUpstream, missingReason } from "../src/upstream/cache.ts";

const reason = missingReason("kube-apiserver", "etcdctl", "etcd");
const [ours] = apiServerSubjects();
const secretOf = (fill: number) => Buffer.alloc(32, fill).toString("base64");
const key = (name: string, fill: number) => ({ name, secret: secretOf(fill) });
const path = "/api/v1/namespaces/default/secrets";

describe.skipIf(reason !== undefined)(`encryption at rest (${reason ?? "on one etcd"})`, () => {
  let dir: string;
  let server: ApiServerInstance | undefined;
  let plugin: KmsPlugin | undefined;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "conformance-encryption-"));
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    await plugin?.close();
    plugin = undefined;
    await rm(dir, { recursive: true, force: true });
  });

  const file = () => join(dir, "encryption.json");
  const configure = (resources: readonly string[], ...providers: object[]) =>
    writeFile(
      file(),
      JSON.stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "EncryptionConfiguration",
        resources: [{ resources, providers }],
      }),
    );
  const open = async (...more: string[]) => {
    server = await ours!.open([`--encryption-provider-config=${file()}`, ...more]);
    return server;
  };
  const startPlugin = async () => {
    plugin = new KmsPlugin();
    await plugin.listen(join(dir, "kms.sock"));
    const endpoint = `unix://${join(dir, "kms.sock")}`;
    const kms = { apiVersion: "v2", name: "safe", endpoint, timeout: "1s" };
    return { plugin, provider: { kms } };
  };
  const health = async () => {
    const { status, text } = await server!.send({ method: "GET", path: "/readyz/kms-providers" });
    return `${status} ${text.trim()}`;
  };
  const stored = async (name: string) => {
    const argv = ["--endpoints", server!.storeURL, "get", "--print-value-only", name];
    const { stdout } = await execa(findUpstream("etcdctl")!, argv, { encoding: "buffer" });
    return Buffer.from(stdout);
  };
  const create = async (name: string) => {
    const body = { metadata: { name }, stringData: { password: `hunter2 of ${name}` } };
    const answer = await server!.send({ method: "POST", path, body });
    expect(answer.status).toBe(201);
  };
  const password = async (name: string) => {
    const answer = await server!.send({ method: "GET", path: `${path}/${name}` });
    if (answer.status !== 200) return answer.status;
    return Buffer.from(JSON.parse(answer.text).data.password, "base64").toString();
  };

  test.each(["aescbc", "aesgcm", "secretbox"])(
    "%s is read by both servers",
    async (type) => {
      await configure(["secrets"], { [type]: { keys: [key("k1", 1)] } }, { identity: {} });
      await open();
      await create("ours");
      const bytes = await stored("/registry/secrets/default/ours");
      expect(bytes.subarray(0, 40).toString("latin1")).toMatch(`k8s:enc:${type}:v1:k1:`);
      expect(bytes.includes("hunter2")).toBe(false);
      await server!.killServer();
      await server!.startServer("kube-apiserver");
      expect(await password("ours")).toBe("hunter2 of ours");
      await create("theirs");
      await server!.killServer();
      await server!.startServer();
      expect(await password("theirs")).toBe("hunter2 of theirs");
      expect(await password("ours")).toBe("hunter2 of ours");
    },
    120_000,
  );

  test("a new key writes, the old one reads, and an idle write rotates", async () => {
    await configure(["*.*"], { aesgcm: { keys: [key("old", 1)] } });
    await open();
    await create("kept");
    await server!.killServer();
    await configure(["*.*"], { aesgcm: { keys: [key("new", 2), key("old", 1)] } });
    await server!.startServer();
    expect(await password("kept")).toBe("hunter2 of kept");
    const { text } = await server!.send({ method: "GET", path: `${path}/kept` });
    const answer = await server!.send({ method: "PUT", path: `${path}/kept`, body: text });
    expect(answer.status).toBe(200);
    const bytes = await stored("/registry/secrets/default/kept");
    expect(bytes.subarray(0, 40).toString("latin1")).toMatch("k8s:enc:aesgcm:v1:new:");
    expect(await password("kept")).toBe("hunter2 of kept");
  }, 60_000);

  test("a key that is lost costs the objects it sealed, and nothing else", async () => {
    await configure(["secrets"], { secretbox: { keys: [key("lost", 1)] } });
    await open();
    await create("gone");
    await server!.killServer();
    await configure(["secrets"], { secretbox: { keys: [key("other", 2)] } }, { identity: {} });
    await server!.startServer();
    expect(await password("gone")).toBe(500);
    await create("fresh");
    expect(await password("fresh")).toBe("hunter2 of fresh");
  }, 60_000);

  test("a KMS v2 plugin's values are read by both servers", async () => {
    const { plugin, provider } = await startPlugin();
    await configure(["secrets"], provider, { identity: {} });
    await open();
    expect(await health()).toBe("200 ok");
    await create("ours");
    const bytes = await stored("/registry/secrets/default/ours");
    expect(bytes.toString("latin1")).toMatch(/^k8s:enc:kms:v2:safe:/);
    expect(bytes.includes("hunter2")).toBe(false);
    await server!.killServer();
    await server!.startServer("kube-apiserver");
    expect(await password("ours")).toBe("hunter2 of ours");
    await create("theirs");
    await server!.killServer();
    plugin.decrypted = 0;
    await server!.startServer();
    expect(await password("theirs")).toBe("hunter2 of theirs");
    expect(await password("ours")).toBe("hunter2 of ours");
    // One seed of each server, however many values.
    expect(plugin.decrypted).toBe(2);
  }, 120_000);

  test("the configuration is read again when it changes", async () => {
    const { plugin, provider } = await startPlugin();
    await configure(["secrets"], { aescbc: { keys: [key("k1", 1)] } }, { identity: {} });
    await open("--encryption-provider-config-automatic-reload=true");
    expect(await health()).toBe("200 ok");
    await create("kept");
    plugin.keyId = "key-2";
    await configure(["secrets"], provider, { aescbc: { keys: [key("k1", 1)] } });
    const sealedBy = async () => {
      const { text } = await server!.send({ method: "GET", path: `${path}/kept` });
      const answer = await server!.send({ method: "PUT", path: `${path}/kept`, body: text });
      expect(answer.status).toBe(200);
      const bytes = await stored("/registry/secrets/default/kept");
      return bytes.toString("latin1").split(":").slice(2, 5).join(":");
    };
    await expect.poll(sealedBy, { timeout: 10_000, interval: 250 }).toBe("kms:v2:safe");
    expect((await stored("/registry/secrets/default/kept")).includes("key-2")).toBe(true);
    expect(await password("kept")).toBe("hunter2 of kept");
  }, 60_000);
});
