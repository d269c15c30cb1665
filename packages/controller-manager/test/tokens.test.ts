/** Tokens in Secrets, bootstrap tokens and the ttl of nodes, on a real API server. */
import { createHmac, generateKeyPairSync, verify } from "node:crypto";
import { configMaps, nodes, secrets, serviceAccounts } from "@nanokube/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subjects } from "../../client/test/upstream.ts";
import { type Cluster, poll, startCluster } from "./cluster.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const encode = (text: string) => Buffer.from(text).toString("base64");

describe.each(subjects)("tokens on $name", ({ subject, missing }) => {
  describe.skipIf(missing !== undefined)("controllers", () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster(subject, {
        serviceAccountKey: privateKey,
        controllers: ["*", "bootstrap-signer-controller", "token-cleaner-controller"],
      });
    }, 120_000);
    afterAll(() => cluster?.stop());

    test("a Secret for an account gets its token, and goes with the account", async () => {
      const ns = await cluster.newNamespace();
      await cluster.of(serviceAccounts, ns).create({ metadata: { name: "bob" } });
      const api = cluster.of(secrets, ns);
      await api.create({
        metadata: { name: "t", annotations: { "kubernetes.io/service-account.name": "bob" } },
        type: "kubernetes.io/service-account-token",
      });
      const token = async () =>
        Buffer.from((await api.get("t")).data?.token ?? "", "base64").toString();
      await expect.poll(token, poll).toMatch(/^[^.]+\.[^.]+\.[^.]+$/);
      const [header = "", payload = "", signature = ""] = (await token()).split(".");
      const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
      expect(claims).toMatchObject({
        iss: "kubernetes/serviceaccount",
        sub: `system:serviceaccount:${ns}:bob`,
        "kubernetes.io/serviceaccount/secret.name": "t",
      });
      const sound = verify(
        "sha256",
        Buffer.from(`${header}.${payload}`),
        publicKey,
        Buffer.from(signature, "base64url"),
      );
      expect(sound).toBe(true);
      const { data } = await api.get("t");
      expect(Buffer.from(data?.namespace ?? "", "base64").toString()).toBe(ns);
      expect(Buffer.from(data?.["ca.crt"] ?? "", "base64").toString()).toBe("PEM of the CA");
      await cluster.of(serviceAccounts, ns).delete("bob");
      await expect.poll(() => cluster.gone(secrets, ns, "t"), poll).toBe(true);
    });

    test("cluster-info is signed with tokens that may, and expired ones go", async () => {
      const api = cluster.of(secrets, "kube-system");
      const make = (id: string, more: Record<string, string>) =>
        api.create({
          metadata: { name: `bootstrap-token-${id}` },
          type: "bootstrap.kubernetes.io/token",
          data: Object.fromEntries(
            Object.entries({ "token-id": id, "token-secret": "0123456789abcdef", ...more }).map(
              ([name, text]) => [name, encode(text)],
            ),
          ),
        });
      await cluster
        .of(configMaps, "kube-public")
        .create({ metadata: { name: "cluster-info" }, data: { kubeconfig: "where" } });
      await make("aaaaaa", { "usage-bootstrap-signing": "true" });
      await make("bbbbbb", { "usage-bootstrap-authentication": "true" });
      await make("cccccc", { expiration: "2020-01-01T00:00:00Z" });
      const info = async () =>
        (await cluster.of(configMaps, "kube-public").get("cluster-info")).data;
      await expect
        .poll(async () => Object.keys((await info()) ?? {}).sort(), poll)
        .toEqual(["jws-kubeconfig-aaaaaa", "kubeconfig"]);
      const [header = "", body = "x", signature] =
        (await info())?.["jws-kubeconfig-aaaaaa"]?.split(".") ?? [];
      const text = `${header}.${Buffer.from("where").toString("base64url")}`;
      const own = createHmac("sha256", "0123456789abcdef").update(text).digest("base64url");
      expect([body, signature]).toEqual(["", own]);
      await expect
        .poll(() => cluster.gone(secrets, "kube-system", "bootstrap-token-cccccc"), poll)
        .toBe(true);
      expect(await cluster.gone(secrets, "kube-system", "bootstrap-token-bbbbbb")).toBe(false);
    });

    test("a node is told how long it may keep what it knows", async () => {
      const api = cluster.client.resource(nodes);
      await api.create({ metadata: { name: "n" } });
      await expect
        .poll(async () => (await api.get("n")).metadata?.annotations, poll)
        .toMatchObject({ "node.alpha.kubernetes.io/ttl": "0" });
    });
  });
});
