/**
 * Who may come in is known elsewhere: tokens of an OpenID Connect issuer, a TokenReview webhook, a
 * SubjectAccessReview webhook, anonymous paths; on ours and on kube-apiserver.
 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

interface Elsewhere {
  url: string;
  key: KeyObject;
  /** SubjectAccessReviews that were asked. */
  asked: unknown[];
  close(): Promise<void>;
}

/** An issuer and both webhooks behind one TLS server. */
async function startElsewhere(dir: string): Promise<Elsewhere> {
  const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const files = ["-keyout", "away.key", "-out", "away.crt", "-subj", "/CN=away"];
  await execa("openssl", ["req", "-x509", ...ec, ...files, ...names], { cwd: dir });
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" };
  const asked: unknown[] = [];
  const cert = await readFile(join(dir, "away.crt"));
  const server: Server = createServer({ cert, key: await readFile(join(dir, "away.key")) });
  let url = "";
  server.on("request", async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = answerOf(request.url ?? "", text, { url, jwk, asked });
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, key: privateKey, asked, close };
}

function answerOf(
  path: string,
  text: string,
  { url, jwk, asked }: { url: string; jwk: object; asked: unknown[] },
): unknown {
  const [, under] = /^(.*)\/\.well-known\/openid-configuration$/u.exec(path) ?? [];
  if (under !== undefined) return { issuer: url + under, jwks_uri: `${url}/keys` };
  if (path === "/keys") return { keys: [jwk] };
  const review = text === "" ? {} : JSON.parse(text);
  if (path.startsWith("/tokens")) {
    const known = review.spec.token === "known-elsewhere";
    const user = { username: "wanda", uid: "7", groups: ["webhooked"], extra: { from: ["afar"] } };
    const status = known ? { authenticated: true, user } : { authenticated: false };
    return { ...review, status };
  }
  if (!path.startsWith("/access")) return undefined;
  const { user, resourceAttributes } = review.spec;
  if (resourceAttributes?.resource === "secrets") asked.push(review.spec);
  const allowed = user === "wanda" && resourceAttributes?.resource === "secrets";
  return { ...review, status: { allowed, reason: allowed ? "" : "not from here" } };
}

const authentication = (url: string, ca: string) => ({
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AuthenticationConfiguration",
  anonymous: { enabled: true, conditions: [{ path: "/livez" }] },
  jwt: [
    {
      issuer: { url, audiences: ["cluster"], certificateAuthority: ca },
      claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }],
      claimMappings: {
        username: { claim: "email", prefix: "oidc:" },
        groups: { claim: "roles", prefix: "oidc:" },
      },
    },
    withExpressions(`${url}/cel`, ca),
  ],
});

function withExpressions(url: string, ca: string): object {
  const audiences = ["cluster", "another"];
  return {
    issuer: { url, audiences, audienceMatchPolicy: "MatchAny", certificateAuthority: ca },
    claimValidationRules: [
      { expression: "claims.hd == 'example.com'", message: "it must be example.com" },
      { expression: "!has(claims.level) || claims.level > 2", message: "too low" },
    ],
    claimMappings: {
      username: { expression: "claims.email_verified ? 'cel:' + claims.email : ''" },
      groups: { expression: "claims.roles" },
      uid: { expression: "claims.?uid.orValue('none')" },
      extra: [
        { key: "example.org/tenant", valueExpression: "claims.?tenant__dot__id.orValue([])" },
        { key: "example.org/empty", valueExpression: "['', '']" },
      ],
    },
    userValidationRules: [
      { expression: "!user.username.startsWith('cel:system:')", message: "that is reserved" },
      { expression: "user.groups.all(group, !group.startsWith('system:'))" },
    ],
  };
}

const webhook = (rest: object) => ({
  timeout: "3s",
  subjectAccessReviewVersion: "v1",
  failurePolicy: "NoOpinion",
  ...rest,
});

/** Two webhooks: the first is never meant, the second for what it can know. */
const authorization = (kubeConfigFile: string) => {
  const connectionInfo = { type: "KubeConfigFile", kubeConfigFile };
  const conditioned = (name: string, policy: string, ...expressions: string[]) => ({
    type: "Webhook",
    name,
    webhook: webhook({
      connectionInfo,
      failurePolicy: policy,
      matchConditionSubjectAccessReviewVersion: "v1",
      matchConditions: expressions.map((expression) => ({ expression })),
    }),
  });
  return {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthorizationConfiguration",
    authorizers: [
      { type: "Node", name: "node" },
      { type: "RBAC", name: "rbac" },
      conditioned("denies", "Deny", "request.extra['none'] == ['x'] && request.user == 'broken'"),
      conditioned(
        "knows",
        "NoOpinion",
        "has(request.resourceAttributes)",
        "request.resourceAttributes.resource != 'configmaps'",
        "request.user == 'wanda' && 'webhooked' in request.groups",
      ),
    ],
  };
};

const kubeconfig = (server: string, ca: string) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "c", cluster: { server, "certificate-authority": ca } }],
  users: [{ name: "u", user: {} }],
  contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
  "current-context": "x",
});

describe.each(apiServerSubjects())("$name", ({ name, open, skip }) => {
  let dir: string;
  let away: Elsewhere;
  let server: ApiServerInstance;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "conformance-access-"));
    if (skip !== undefined) return;
    away = await startElsewhere(dir);
    const ca = join(dir, "away.crt");
    const write = (file: string, tree: object) => writeFile(join(dir, file), JSON.stringify(tree));
    await write("authentication.json", authentication(away.url, await readFile(ca, "utf8")));
    await write("tokens.json", kubeconfig(`${away.url}/tokens`, ca));
    await write("access.json", kubeconfig(`${away.url}/access`, ca));
    await write("authorization.json", authorization(join(dir, "access.json")));
    server = await open([
      `--authentication-config=${join(dir, "authentication.json")}`,
      `--authentication-token-webhook-config-file=${join(dir, "tokens.json")}`,
      "--authentication-token-webhook-version=v1",
      `--authorization-config=${join(dir, "authorization.json")}`,
    ]);
  }, 90_000);
  afterAll(async () => {
    await server?.close();
    await away?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const signed = (claims: object, under: string) =>
    new SignJWT({ email_verified: true, hd: "example.com", email: "a@b", roles: ["x"], ...claims })
      .setProtectedHeader({ alg: "RS256", kid: "one" })
      .setIssuer(away.url + under)
      .setAudience("cluster")
      .setExpirationTime("5m")
      .sign(away.key);
  /** What a TokenReview says of a token. */
  const reviewed = async (claims: object, under = "/cel") => {
    const path = "/apis/authentication.k8s.io/v1/tokenreviews";
    const token = await signed(claims, under);
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
    const { status } = JSON.parse((await server.send({ method: "POST", path, body })).text);
    return status.error ?? status.user;
  };
  const idToken = (claims: object, audience = "cluster", key = away.key) =>
    new SignJWT({ hd: "example.com", email: "olga@example.com", roles: ["dev"], ...claims })
      .setProtectedHeader({ alg: "RS256", kid: "one" })
      .setIssuer(away.url)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(key);
  const whoAmI = async (token: string) => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const answer = await server.send({ method: "POST", path, body, token });
    const { status, reason } = JSON.parse(answer.text);
    return answer.status === 201 ? status.userInfo : { code: answer.status, reason };
  };
  const unauthorized = { code: 401, reason: "Unauthorized" };

  test.skipIf(skip)("an ID token says who it is", async () => {
    expect(await whoAmI(await idToken({ email_verified: true }))).toEqual({
      username: "oidc:olga@example.com",
      groups: ["oidc:dev", "system:authenticated"],
    });
    expect(await whoAmI(await idToken({ roles: "dev" }))).toMatchObject({
      groups: ["oidc:dev", "system:authenticated"],
    });
  });

  test.skipIf(skip)(
    "a token that is meant for others, forged or unverified is refused",
    async () => {
      const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
      expect(await whoAmI(await idToken({}, "another"))).toEqual(unauthorized);
      expect(await whoAmI(await idToken({}, "cluster", other))).toEqual(unauthorized);
      expect(await whoAmI(await idToken({ hd: "example.org" }))).toEqual(unauthorized);
      expect(await whoAmI(await idToken({ email_verified: false }))).toEqual(unauthorized);
      expect(await whoAmI(await idToken({ roles: [7] }))).toEqual(unauthorized);
    },
  );

  test.skipIf(skip)("expressions say who it is", async () => {
    const claims = { uid: "u1", "tenant.id": ["t", ""], jti: "j", level: 3 };
    expect(await reviewed(claims)).toEqual({
      username: "cel:a@b",
      uid: "u1",
      groups: ["x", "system:authenticated"],
      extra: {
        "authentication.kubernetes.io/credential-id": ["JTI=j"],
        "example.org/tenant": ["t"],
      },
    });
    expect(await reviewed({ roles: "", level: 2.5 })).toMatchObject({
      uid: "none",
      groups: ["system:authenticated"],
    });
  });

  test.skipIf(skip).each([
    [
      { hd: "x" },
      "/cel",
      "oidc: error evaluating claim validation expression: validation expression 'claims.hd == 'example.com'' failed: it must be example.com",
    ],
    [
      { level: 2 },
      "/cel",
      "oidc: error evaluating claim validation expression: validation expression '!has(claims.level) || claims.level > 2' failed: too low",
    ],
    [
      { level: "3" },
      "/cel",
      "oidc: error evaluating claim validation expression: expression '!has(claims.level) || claims.level > 2' resulted in error: no such overload",
    ],
    [{ email_verified: false }, "/cel", "oidc: empty username via CEL expression is not allowed"],
    [
      { email_verified: "yes" },
      "/cel",
      "oidc: error evaluating username claim expression: expression 'claims.email_verified ? 'cel:' + claims.email : ''' resulted in error: no such overload",
    ],
    [
      { email: 7 },
      "/cel",
      "oidc: error evaluating username claim expression: expression 'claims.email_verified ? 'cel:' + claims.email : ''' resulted in error: no such overload",
    ],
    [
      { roles: undefined },
      "/cel",
      "oidc: error evaluating group claim expression: expression 'claims.roles' resulted in error: no such key: roles",
    ],
    [
      { roles: [7] },
      "/cel",
      "oidc: error evaluating group claim expression: expression must return a string or a list of strings",
    ],
    [
      { uid: 7 },
      "/cel",
      "oidc: error evaluating uid claim expression: uid claim expression must return a string",
    ],
    [
      { email: "system:x" },
      "/cel",
      "oidc: error evaluating user info validation rule: validation expression '!user.username.startsWith('cel:system:')' failed: that is reserved",
    ],
    [
      { roles: ["system:masters"] },
      "/cel",
      "oidc: error evaluating user info validation rule: validation expression 'user.groups.all(group, !group.startsWith('system:'))' failed: ",
    ],
    [
      { "tenant.id": { a: 1 } },
      "/cel",
      "oidc: error evaluating extra claim expression: claims.?tenant__dot__id.orValue([]): expression must return a string or a list of strings",
    ],
    [
      { email: 7 },
      "",
      'oidc: parse username claims "email": json: cannot unmarshal number into Go value of type string',
    ],
    [{ email: undefined }, "", 'oidc: parse username claims "email": claim not present'],
    [
      { roles: { a: 1 } },
      "",
      'oidc: parse groups claim "roles": json: cannot unmarshal object into Go value of type string',
    ],
    [{ hd: undefined }, "", "oidc: required claim hd not present in ID token"],
    [
      { hd: ["x"] },
      "",
      "oidc: parse claim hd: json: cannot unmarshal array into Go value of type string",
    ],
    [{ hd: "x" }, "", "oidc: required claim hd value does not match. Got = x, want = example.com"],
  ])("%j is refused%s", async (claims, under, why) => {
    expect(await reviewed(claims, under)).toBe(`[invalid bearer token, ${why}]`);
  });

  test.skipIf(skip)("the webhook knows a token, and another not", async () => {
    const user = await whoAmI("known-elsewhere");
    expect(user).toMatchObject({ username: "wanda", uid: "7", extra: { from: ["afar"] } });
    expect(user.groups).toEqual(["webhooked", "system:authenticated"]);
    expect(await whoAmI("unknown-elsewhere")).toEqual(unauthorized);
  });

  test.skipIf(skip)("the webhook allows what RBAC has no opinion on", async () => {
    const get = async (resource: string) => {
      const path = `/api/v1/namespaces/default/${resource}/some`;
      const { status, text } = await server.send({ method: "GET", path, token: "known-elsewhere" });
      return { status, message: JSON.parse(text).message };
    };
    expect(await get("secrets")).toEqual({ status: 404, message: 'secrets "some" not found' });
    expect(await get("pods")).toEqual({
      status: 403,
      message:
        'pods "some" is forbidden: User "wanda" cannot get resource "pods" in API group "" in the namespace "default": not from here',
    });
    expect(away.asked[0]).toEqual({
      user: "wanda",
      uid: "7",
      groups: ["webhooked", "system:authenticated"],
      extra: { from: ["afar"] },
      resourceAttributes: {
        namespace: "default",
        verb: "get",
        version: "v1",
        resource: "secrets",
        name: "some",
      },
    });
  });

  test.skipIf(skip)("the webhook is told what a list and a review are narrowed to", async () => {
    const told = () =>
      (away.asked.at(-1) as { resourceAttributes: object }).resourceAttributes as {
        fieldSelector?: unknown;
        labelSelector?: unknown;
      };
    const query = "fieldSelector=type!=a,metadata.name=b&labelSelector=x=1,y in (3,2),z,!w,v>1";
    const path = `/api/v1/namespaces/default/secrets?${query.replaceAll(" ", "%20")}`;
    expect((await server.send({ method: "GET", path, token: "known-elsewhere" })).status).toBe(200);
    const sorted = (value: unknown) => JSON.parse(JSON.stringify(value ?? null)) as unknown;
    expect(sorted(told().fieldSelector)).toEqual({
      requirements: [
        { key: "metadata.name", operator: "In", values: ["b"] },
        { key: "type", operator: "NotIn", values: ["a"] },
      ],
    });
    const { requirements } = told().labelSelector as {
      requirements: { key: string; values?: string[] }[];
    };
    expect(requirements.map(({ values, ...rest }) => ({ ...rest, values: values?.toSorted() })))
      // Upstream cannot tell a webhook of "greater than".
      .toEqual([
        { key: "w", operator: "DoesNotExist" },
        { key: "x", operator: "In", values: ["1"] },
        { key: "y", operator: "In", values: ["2", "3"] },
        { key: "z", operator: "Exists" },
      ]);
    const review = async (attributes: object) => {
      const answer = await server.send({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SubjectAccessReview",
          spec: {
            user: "wanda",
            groups: ["webhooked"],
            resourceAttributes: { verb: "list", resource: "secrets", ...attributes },
          },
        },
      });
      const { status, message } = JSON.parse(answer.text);
      return message ?? status.evaluationError ?? "told";
    };
    const key = "metadata.name";
    const both = [
      { key, operator: "In", values: ["a"] },
      { key, operator: "In", values: ["a", "b"] },
    ];
    expect(await review({ fieldSelector: { requirements: both } })).toBe(
      "spec.resourceAttributes.fieldSelector partially ignored due to parse error",
    );
    expect(told().fieldSelector).toEqual({ requirements: both.slice(0, 1) });
    expect(await review({ labelSelector: { rawSelector: "a in" } })).toBe(
      "spec.resourceAttributes.labelSelector ignored due to parse error",
    );
    expect(await review({ labelSelector: { rawSelector: "a=b" } })).toBe("told");
    expect(told().labelSelector).toEqual({
      requirements: [{ key: "a", operator: "In", values: ["b"] }],
    });
    expect(await review({ fieldSelector: {} })).toMatch(
      "spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required",
    );
    const invalid = { requirements: [{ operator: "In" }], rawSelector: "a=b" };
    expect(await review({ fieldSelector: invalid })).toContain(
      "may not specified at the same time",
    );
  });

  test.skipIf(skip)(`anonymous only where ${name} was told`, async () => {
    const anonymous = async (path: string) =>
      (await execa("curl", ["-sk", "-o", "/dev/null", "-w", "%{http_code}", server.url + path]))
        .stdout;
    expect(await anonymous("/livez")).toBe("200");
    expect(await anonymous("/readyz")).toBe("401");
    expect(await anonymous("/api")).toBe("401");
  });

  test.skipIf(skip)(
    "both files are read again when they change",
    async () => {
      const write = (file: string, tree: object) =>
        writeFile(join(dir, file), JSON.stringify(tree));
      const ca = await readFile(join(dir, "away.crt"), "utf8");
      const [flags] = [authentication(away.url, ca)];
      flags.jwt.splice(1);
      const [issuer] = flags.jwt as { claimMappings: { username: { prefix: string } } }[];
      issuer!.claimMappings.username.prefix = "renewed:";
      await write("authentication.json", flags);
      const name = async () => (await whoAmI(await idToken({}))).username;
      await expect.poll(name, { timeout: 30_000 }).toBe("renewed:olga@example.com");
      expect(await whoAmI(await signed({}, "/cel"))).toEqual(unauthorized);
      const without = authorization(join(dir, "access.json"));
      without.authorizers.splice(2);
      await write("authorization.json", without);
      const path = "/api/v1/namespaces/default/secrets/some";
      const status = async () =>
        (await server.send({ method: "GET", path, token: "known-elsewhere" })).status;
      await expect.poll(status, { timeout: 30_000 }).toBe(403);
    },
    90_000,
  );
});
