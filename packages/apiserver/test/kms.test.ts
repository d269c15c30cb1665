/** A KMS v2 plugin that rotates, is down and comes back; its clock is stepped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFakeClock, nullLog } from "@nanokube/machinery";
import { createServer, RpcError, type RpcServer } from "@nanokube/rpc";
import { KeyManagementService } from "@nanokube/rpc/kms";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KmsProvider } from "../src/io/kms/kms-provider.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const key = bytes("/registry/secrets/default/a");

let dir: string;
let server: RpcServer;
let plugin: { keyId: string; isDown: boolean; healthz: string };
let clock: ReturnType<typeof createFakeClock>;
let rotations: number;
const opened: KmsProvider[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "kms-"));
  plugin = { keyId: "one", isDown: false, healthz: "ok" };
  clock = createFakeClock(Date.parse("2026-01-01T00:00:00Z"));
  rotations = 0;
  const mayFail = () => {
    if (plugin.isDown) throw new RpcError(13, "the key is in the safe");
  };
  server = createServer();
  server.add(KeyManagementService, {
    status() {
      mayFail();
      return { version: "v2", healthz: plugin.healthz, keyId: plugin.keyId };
    },
    encrypt({ plaintext }) {
      mayFail();
      return { ciphertext: plaintext.toReversed(), keyId: plugin.keyId, annotations: {} };
    },
    decrypt({ ciphertext }) {
      mayFail();
      return { plaintext: ciphertext.toReversed() };
    },
  });
  await server.listen({ path: join(dir, "s") });
});
afterEach(async () => {
  for (const provider of opened.splice(0)) provider.close();
  await server.close();
  rmSync(dir, { recursive: true });
});

async function start(): Promise<KmsProvider> {
  const settings = { type: "kms", name: "safe", endpoint: `unix://${join(dir, "s")}` } as const;
  const tools = { clock, log: nullLog, onRotated: () => void rotations++ };
  const provider = new KmsProvider({ ...settings, timeoutMs: 1_000 }, tools);
  opened.push(provider);
  await provider.start();
  return provider;
}

const down =
  "failed to perform status section of the healthz check for KMS Provider safe, error: rpc error: code = Internal desc = the key is in the safe";

test("while it is down, reads go on, and writes for three minutes", async () => {
  const provider = await start();
  const sealed = provider.seal(bytes("secret"), key);
  plugin.isDown = true;
  expect(await provider.check()).toBe(undefined); // A good answer counts for twenty seconds.
  await clock.step(21_000);
  expect(await provider.check()).toBe(down);
  await clock.step(158_000);
  expect(provider.open(provider.seal(bytes("more"), key), key)).toEqual(Buffer.from("more"));
  await clock.step(2_000);
  expect(() => provider.seal(bytes("more"), key)).toThrow(
    'Internal error occurred: encryptedDEKSource with keyID hash "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed" expired at 2026-01-01T00:03:00Z (current time is 2026-01-01T00:03:01Z)',
  );
  expect(provider.open(sealed, key)).toEqual(Buffer.from("secret"));
  expect(provider.isStale(sealed)).toBe(false);
});

test("a new key id makes a new seed; what the old one sealed is stale", async () => {
  const provider = await start();
  const sealed = provider.seal(bytes("secret"), key);
  plugin.keyId = "two";
  await clock.step(21_000);
  expect(await provider.check()).toBe(undefined);
  expect(rotations).toBe(1);
  expect(provider.isStale(sealed)).toBe(true);
  expect(provider.isStale(provider.seal(bytes("secret"), key))).toBe(false);
  expect(provider.open(sealed, key)).toEqual(Buffer.from("secret"));
});

test("what was sealed elsewhere is opened when the plugin is back", async () => {
  const sealed = (await start()).seal(bytes("secret"), key);
  plugin.isDown = true;
  const provider = await start();
  await provider.prepare(sealed);
  expect(() => provider.open(sealed, key)).toThrow(
    "failed to decrypt DEK, error: rpc error: code = Internal desc = the key is in the safe",
  );
  expect(() => provider.seal(bytes("a"), key)).toThrow("got unexpected nil transformer");
  plugin.isDown = false;
  await provider.prepare(sealed);
  expect(provider.prepare(sealed)).toBe(undefined);
  expect(provider.open(sealed, key)).toEqual(Buffer.from("secret"));
  expect(() => provider.open(sealed, bytes("/registry/secrets/default/b"))).toThrow();
});

test("what is wrong with it is told", async () => {
  const provider = await start();
  plugin.healthz = "no";
  plugin.keyId = "";
  await clock.step(21_000);
  expect(await provider.check()).toBe(
    'kmsv2 Provider safe is not healthy, error: [got unexpected healthz status: no, got invalid KMSv2 KeyID hash "": keyID is empty]',
  );
});
