/**
 * What is said and kept of service-account tokens that are used: late ones, legacy ones, those of
 * an older key, those whose secret or node is gone. On a clock that is moved by hand.
 */
import { generateKeyPairSync } from "node:crypto";
import { createFakeClock, createSeededRandom, type KubeObject } from "@nanokube/machinery";
import { SignJWT } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import {
  createServiceAccountTokens,
  type VerifyToken,
} from "../src/core/authentication/service-account-token.ts";
import { createTokenIssuer } from "../src/core/authentication/token-issuer.ts";
import {
  importSigningKey,
  jwksDocument,
  type SigningKey,
} from "../src/core/authentication/token-keys.ts";
import { TokenUses } from "../src/core/authentication/token-uses.ts";
import { type ObjectMap, objectMap } from "./object-map.ts";

const issuer = "https://kubernetes.default.svc";
const hourSeconds = 3607;

async function newKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return importSigningKey(pkcs8, publicKey.export({ type: "spki", format: "pem" }).toString());
}

const object = (name: string, uid: string, rest: object = {}): KubeObject =>
  ({ metadata: { name, namespace: "n", uid }, ...rest }) as KubeObject;

describe("service-account tokens in use", () => {
  const clock = createFakeClock();
  let reader: ObjectMap;
  let uses: TokenUses;
  let labelled: [string | undefined, object][];

  beforeEach(() => {
    reader = objectMap();
    labelled = [];
    uses = new TokenUses(clock, async ({ metadata }, labels) => {
      labelled.push([metadata?.name, labels]);
    });
    reader.put("", "serviceaccounts", object("s", "uid-s", { secrets: [{ name: "made" }] }));
    const spec = { serviceAccountName: "s", nodeName: "m" };
    reader.put("", "pods", object("p", "uid-p", { spec }));
    reader.put("", "secrets", object("bound", "uid-b"));
    reader.put("", "nodes", { metadata: { name: "m", uid: "uid-m" } } as KubeObject);
  });

  const issuerWith = (key: SigningKey, more: object = {}) =>
    createTokenIssuer({
      ...{ issuer, key, audiences: [issuer], random: createSeededRandom(1), reader, clock },
      ...more,
    });
  const verifierOf = (...keys: SigningKey[]): VerifyToken =>
    createServiceAccountTokens({
      ...{ issuers: [issuer, "https://old"], keys, audiences: [issuer], reader, clock, uses },
    });
  const counted = (name: string) =>
    uses.lines().find((line) => line.startsWith(`serviceaccount_${name} `));
  const boundTo = (kind: string, name: string, expirationSeconds = 3600) => ({
    spec: { audiences: [], expirationSeconds, boundObjectRef: { apiVersion: "v1", kind, name } },
  });

  it("a kubelet's token is counted, and told of once its hour is over", async () => {
    const key = await newKey();
    const { status } = await issuerWith(key).issue(boundTo("Pod", "p", hourSeconds), "n", "s");
    const verify = verifierOf(key);
    expect((await verify(status!.token!))?.remarks).toBeUndefined();
    await clock.step((hourSeconds + 60) * 1000);
    expect((await verify(status!.token!))?.remarks).toEqual({
      warnings: [],
      annotations: {
        "authentication.k8s.io/stale-token":
          "subject: system:serviceaccount:n:s, seconds after warning threshold: 60",
      },
    });
    expect([counted("valid_tokens_total"), counted("stale_tokens_total")]).toEqual([
      "serviceaccount_valid_tokens_total 1",
      "serviceaccount_stale_tokens_total 1",
    ]);
    await clock.step(366 * 24 * 3600 * 1000);
    await expect(verify(status!.token!)).rejects.toThrow("service account token has expired");
  });

  it("is not stretched when it is not to be, and no longer than the most", async () => {
    const key = await newKey();
    const plain = issuerWith(key, { extendExpiration: false });
    const { status } = await plain.issue(boundTo("Pod", "p", hourSeconds), "n", "s");
    const verify = verifierOf(key);
    await expect(verify(status!.token!)).resolves.toBeDefined();
    await clock.step((hourSeconds + 61) * 1000);
    await expect(verify(status!.token!)).rejects.toThrow("service account token has expired");
    const said: string[] = [];
    const short = issuerWith(key, { maxExpirationSeconds: 7200 });
    const long = { spec: { audiences: [], expirationSeconds: 9000 } };
    const request = await short.issue(long, "n", "s", { warn: (text) => said.push(text) });
    expect(request.spec?.expirationSeconds).toBe(7200);
    expect(said).toEqual(["requested expiration of 9000 seconds shortened to 7200 seconds"]);
  });

  it("keys and issuers that went before are good until they are taken away", async () => {
    const [old, now] = [await newKey(), await newKey()];
    const before = await issuerWith(old, { issuer: "https://old" }).issue(
      { spec: { audiences: [] } },
      "n",
      "s",
    );
    const token = before.status!.token!;
    await expect(verifierOf(now, old)(token)).resolves.toBeDefined();
    expect((await jwksDocument([now, old])).keys.map(({ kid }) => kid)).toEqual([now.kid, old.kid]);
    await expect(verifierOf(now)(token)).rejects.toThrow("invalid signature");
  });

  it.each([
    ["Secret", "bound", "secrets", "n"],
    ["Node", "m", "nodes", ""],
  ])("ends with its %s", async (kind, name, plural, namespace) => {
    const key = await newKey();
    const { status } = await issuerWith(key).issue(boundTo(kind, name), "n", "s");
    const verify = verifierOf(key);
    await expect(verify(status!.token!)).resolves.toBeDefined();
    reader.remove("", plural, namespace, name);
    const gone = "service account token has been invalidated";
    await expect(verify(status!.token!)).rejects.toThrow(gone);
    // Another of the same name is another.
    reader.put("", plural, { metadata: { name, namespace, uid: "new" } } as KubeObject);
    await expect(verify(status!.token!)).rejects.toThrow("does not match service account");
  });

  it("a legacy token tells on which day it was used, and warns if nobody asked for it", async () => {
    const key = await newKey();
    const verify = verifierOf(key);
    const legacy = async (secret: string, labels: object = {}) => {
      const claim = "kubernetes.io/serviceaccount";
      const token = await new SignJWT({
        [`${claim}/namespace`]: "n",
        [`${claim}/secret.name`]: secret,
        [`${claim}/service-account.name`]: "s",
        [`${claim}/service-account.uid`]: "uid-s",
      })
        .setProtectedHeader({ alg: key.algorithm, kid: key.kid })
        .setIssuer("kubernetes/serviceaccount")
        .setSubject("system:serviceaccount:n:s")
        .sign(key.privateKey);
      const metadata = { name: secret, namespace: "n", uid: `uid-${secret}`, labels };
      reader.put("", "secrets", { metadata, data: { token: btoa(token) } } as KubeObject);
      return token;
    };
    const today = new Date(clock.now()).toISOString().slice(0, 10);
    const label = "kubernetes.io/legacy-token-last-used";
    expect((await verify(await legacy("made")))?.remarks).toEqual({
      warnings: [
        "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.",
      ],
      annotations: { "authentication.k8s.io/legacy-token-autogenerated-secret": "made" },
    });
    expect((await verify(await legacy("own", { [label]: today })))?.remarks).toEqual({
      warnings: [],
      annotations: { "authentication.k8s.io/legacy-token-manual-secret": "own" },
    });
    expect(labelled).toEqual([["made", { [label]: today }]]);
    const marked = await legacy("old", { "kubernetes.io/legacy-token-invalid-since": today });
    await expect(verify(marked)).rejects.toThrow(
      "the token in secret n/old for service account n/s has been marked invalid. Use tokens from",
    );
    expect(uses.lines().filter((line) => line.endsWith(" 1") || line.endsWith(" 2"))).toEqual([
      "serviceaccount_legacy_tokens_total 2",
      "serviceaccount_legacy_manual_token_uses_total 1",
      "serviceaccount_legacy_auto_token_uses_total 1",
      "serviceaccount_invalid_legacy_auto_token_uses_total 1",
    ]);
  });
});
