/**
 * Bootstrap tokens: expired ones go; the public cluster-info is signed with each that may sign, so
 * that who joins with a token can trust it. Both are off unless named, as upstream's.
 *
 * Shapes  cluster-info  ConfigMap in kube-public: `kubeconfig`, and `jws-kubeconfig-<token id>`
 *                       with a JWS (HS256) without its payload
 * Source  pkg/controller/bootstrap/bootstrapsigner.go, tokencleaner.go, jws.go
 */
import type { ConfigMap, Secret } from "@nanokube/api/core/v1";
import { configMaps, secrets } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import type { Digests } from "../digests.ts";
import { remove, type Steps, update } from "../steps.ts";
import { parseTime } from "../time.ts";

const type = "bootstrap.kubernetes.io/token";
const namespace = "kube-system";
const publicNamespace = "kube-public";
const clusterInfo = "cluster-info";
const signature = "jws-kubeconfig-";

const field = (secret: Secret, name: string): string => atob(secret.data?.[name] ?? "");

const isBootstrap = (secret: Secret): boolean =>
  secret.type === type && secret.metadata?.namespace === namespace;

/** Until it expires; undefined when it never does. */
function leftMs(secret: Secret, nowMs: number): number | undefined {
  const text = field(secret, "expiration");
  if (text === "") return undefined;
  const atMs = parseTime(text);
  // One that nobody can read is over.
  return Number.isNaN(atMs) ? 0 : atMs - nowMs;
}

export function createTokenCleanerController(): Controller {
  return {
    name: "token-cleaner-controller",
    watches: [watchOwn(secrets)],
    *reconcile(key, { caches, nowMs }: Context): Steps<number | undefined> {
      const secret = caches.of(secrets).getByKey(key);
      if (secret === undefined || !isBootstrap(secret)) return undefined;
      const left = leftMs(secret, nowMs);
      if (left === undefined || left > 0) return left;
      yield* remove(secrets, secret);
      return undefined;
    },
  };
}

/** The id and secret of a token that signs. */
function signingToken(secret: Secret, nowMs: number): { id: string; key: string } | undefined {
  const id = field(secret, "token-id");
  const key = field(secret, "token-secret");
  if (!isBootstrap(secret) || field(secret, "usage-bootstrap-signing") !== "true") return undefined;
  if (!/^[a-z0-9]{6}$/.test(id) || key === "") return undefined;
  if (secret.metadata?.name !== `bootstrap-token-${id}`) return undefined;
  const left = leftMs(secret, nowMs);
  return left === undefined || left > 0 ? { id, key } : undefined;
}

const base64url = (text: string): string =>
  btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** A JWS whose payload stands elsewhere: `header..signature`. */
export function detachedSignature(
  content: string,
  token: { id: string; key: string },
  digests: Digests,
): string {
  const header = base64url(JSON.stringify({ alg: "HS256", kid: token.id }));
  return `${header}..${digests.hmacSHA256(token.key, `${header}.${base64url(content)}`)}`;
}

export function createBootstrapSignerController(digests: Digests): Controller {
  const one = "cluster-info";
  return {
    name: "bootstrap-signer-controller",
    watches: [
      watch(configMaps, ({ metadata }) =>
        metadata?.name === clusterInfo && metadata.namespace === publicNamespace ? [one] : [],
      ),
      watch(secrets, (secret) => (isBootstrap(secret) ? [one] : [])),
    ],
    workers: 1,
    initialKeys: [one],
    *reconcile(_key, { caches, nowMs }: Context): Steps<undefined> {
      const info: ConfigMap | undefined = caches.of(configMaps).get(publicNamespace, clusterInfo);
      const content = info?.data?.kubeconfig;
      if (info === undefined || content === undefined || content === "") return;
      const data = Object.fromEntries(
        Object.entries(info.data ?? {}).filter(([name]) => !name.startsWith(signature)),
      );
      for (const secret of caches.of(secrets).byNamespace(namespace)) {
        const token = signingToken(secret, nowMs);
        if (token === undefined) continue;
        data[`${signature}${token.id}`] = detachedSignature(content, token, digests);
      }
      if (!deepEqual(data, info.data)) yield* update(configMaps, { ...info, data });
    },
  };
}
