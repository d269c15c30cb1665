/** Service-account tokens: what is issued is accepted, until what it is bound to is gone. */
import { generateKeyPairSync } from "node:crypto";
import { createFakeClock, createSeededRandom, type KubeObject, nullLog } from "@nanokube/machinery";
import { decodeJwt } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import { createAuthenticator } from "../src/core/authentication/create-authenticator.ts";
import { createTokenIssuer } from "../src/core/authentication/token-issuer.ts";
import { importSigningKey, type SigningKey } from "../src/core/authentication/token-keys.ts";
import { openAuthorities } from "../src/io/certificate-authorities.ts";
import { type ObjectMap, objectMap } from "./object-map.ts";

const issuer = "https://kubernetes.default.svc";

async function signingKey(type: "rsa" | "ec"): Promise<SigningKey> {
  const { privateKey, publicKey } =
    type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return importSigningKey(pkcs8, publicKey.export({ type: "spki", format: "pem" }).toString());
}

const object = (name: string, uid: string, rest: object = {}): KubeObject =>
  ({ metadata: { name, namespace: "n", uid }, ...rest }) as KubeObject;

describe.each(["rsa", "ec"] as const)("service-account tokens signed with %s", (type) => {
  let reader: ObjectMap;
  let clock: ReturnType<typeof createFakeClock>;

  beforeEach(() => {
    reader = objectMap();
    clock = createFakeClock();
    reader.put("", "serviceaccounts", object("s", "uid-s"));
    reader.put(
      "",
      "pods",
      object("p", "uid-p", { spec: { serviceAccountName: "s", nodeName: "m" } }),
    );
    const node = { metadata: { name: "m", uid: "uid-m" } } as KubeObject;
    reader.put("", "nodes", node);
  });

  async function make() {
    const key = await signingKey(type);
    const random = createSeededRandom(1);
    const common = { reader, clock };
    const issue = createTokenIssuer({ ...common, issuer, key, audiences: [issuer], random }).issue;
    const authenticator = createAuthenticator({
      ...common,
      log: nullLog,
      openAuthorities,
      serviceAccounts: { issuers: [issuer], keys: [key] },
      audiences: [issuer],
    });
    const identify = async (token = "") => {
      const headers = { authorization: `Bearer ${token}` };
      return (await authenticator.authenticate({ headers }))?.user;
    };
    return { issue, identify, authenticator };
  }

  const forPod = {
    spec: {
      audiences: [],
      expirationSeconds: 3600,
      boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p", uid: "uid-p" },
    },
  };

  it("names the account, its groups, pod and node", async () => {
    const { issue, identify } = await make();
    const { status } = await issue(forPod, "n", "s");
    expect(await identify(status?.token)).toMatchObject({
      name: "system:serviceaccount:n:s",
      uid: "uid-s",
      groups: ["system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"],
      extra: {
        "authentication.kubernetes.io/pod-name": ["p"],
        "authentication.kubernetes.io/pod-uid": ["uid-p"],
        "authentication.kubernetes.io/node-name": ["m"],
        "authentication.kubernetes.io/node-uid": ["uid-m"],
      },
    });
    const claims = decodeJwt(status?.token ?? "");
    expect(claims).toMatchObject({ iss: issuer, aud: [issuer], sub: "system:serviceaccount:n:s" });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
  });

  it("ends with its pod, its account and its time", async () => {
    const { issue, identify } = await make();
    const token = (await issue(forPod, "n", "s")).status?.token;
    await expect(identify(token)).resolves.toBeDefined();
    reader.remove("", "pods", "n", "p");
    await expect(identify(token)).rejects.toThrow("Unauthorized");
    const plain = (await issue({ spec: { audiences: [] } }, "n", "s")).status?.token;
    await expect(identify(plain)).resolves.toBeDefined();
    await clock.step(3700_000);
    await expect(identify(plain)).rejects.toThrow("Unauthorized");
    const next = (await issue({ spec: { audiences: [] } }, "n", "s")).status?.token;
    reader.put("", "serviceaccounts", object("s", "another"));
    await expect(identify(next)).rejects.toThrow("Unauthorized");
  });

  it("is for its audience only", async () => {
    const { issue, identify, authenticator } = await make();
    const token = (await issue({ spec: { audiences: ["vault"] } }, "n", "s")).status?.token ?? "";
    await expect(identify(token)).rejects.toThrow("Unauthorized");
    expect(await authenticator.reviewToken(token, ["vault"])).toMatchObject({
      user: { name: "system:serviceaccount:n:s" },
      audiences: ["vault"],
    });
  });

  it("lives a year for kubelets that ask for an hour and seven seconds, and warns", async () => {
    const { issue } = await make();
    const spec = { ...forPod.spec, expirationSeconds: 3607 };
    const { token = "", expirationTimestamp } = (await issue({ spec }, "n", "s")).status ?? {};
    const claims = decodeJwt<{ "kubernetes.io": { warnafter: number } }>(token);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(365 * 24 * 3600);
    expect(claims["kubernetes.io"].warnafter).toBe((claims.iat ?? 0) + 3607);
    expect(Date.parse(expirationTimestamp ?? "") / 1000).toBe((claims.iat ?? 0) + 3607);
  });

  it("is refused for less than ten minutes, for another's pod, for a pod of another time", async () => {
    const { issue } = await make();
    await expect(
      issue({ spec: { audiences: [], expirationSeconds: 1 } }, "n", "s"),
    ).rejects.toThrow("may not specify a duration less than 10 minutes");
    reader.put("", "serviceaccounts", object("t", "uid-t"));
    await expect(issue(forPod, "n", "t")).rejects.toThrow("cannot bind token for serviceaccount");
    const old = { ...forPod.spec, boundObjectRef: { ...forPod.spec.boundObjectRef, uid: "old" } };
    await expect(issue({ spec: old }, "n", "s")).rejects.toThrow(
      "UID in the bound object reference (old)",
    );
  });
});
