/**
 * Secrets of type kubernetes.io/service-account-token: filled with a token that does not expire,
 * and deleted with their account.
 *
 * Source  pkg/controller/serviceaccount/tokens_controller.go, pkg/serviceaccount/legacy.go
 */
import type { Secret, ServiceAccount } from "@nanokube/api/core/v1";
import { type ApiObject, secrets, serviceAccounts } from "@nanokube/client";
import { type Caches, type Context, type Controller, watch } from "../controller.ts";
import type { Digests } from "../digests.ts";
import { read, remove, type Steps, update } from "../steps.ts";

const type = "kubernetes.io/service-account-token";
const accountName = "kubernetes.io/service-account.name";
const accountUID = "kubernetes.io/service-account.uid";
const byAccount = "accounts";

export interface TokenOptions {
  digests: Digests;
  /** PEM. */
  key: string;
  /** PEM; absent: secrets get no ca.crt. */
  rootCA: string | undefined;
}

const isToken = (object: ApiObject): boolean => (object as Secret).type === type;
const accountOf = (secret: Secret): string => secret.metadata?.annotations?.[accountName] ?? "";

export function createTokenController(options: TokenOptions): Controller {
  const keyOf = ({ metadata }: ApiObject) => `${metadata?.namespace}/${metadata?.name}`;
  return {
    name: "serviceaccount-token-controller",
    watches: [
      watch(secrets, (secret) => (isToken(secret) ? [keyOf(secret)] : []), {
        [byAccount]: (secret) =>
          isToken(secret) ? [`${secret.metadata?.namespace}/${accountOf(secret)}`] : [],
      }),
      watch(serviceAccounts, (account, caches) => tokensOf(account, caches).map(keyOf)),
    ],
    reconcile: (key, context) => reconcileToken(key, context, options),
  };
}

const tokensOf = ({ metadata }: ServiceAccount, caches: Caches): Secret[] =>
  caches.of(secrets).byIndex(byAccount, `${metadata?.namespace}/${metadata?.name}`);

/** The claims of a token that stands in a Secret. */
const claims = (account: ServiceAccount, secret: Secret): object => {
  const { namespace, name, uid } = account.metadata ?? {};
  const prefix = "kubernetes.io/serviceaccount";
  return {
    iss: "kubernetes/serviceaccount",
    [`${prefix}/namespace`]: namespace,
    [`${prefix}/secret.name`]: secret.metadata?.name,
    [`${prefix}/service-account.name`]: name,
    [`${prefix}/service-account.uid`]: uid,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
};

export function* reconcileToken(
  key: string,
  { caches }: Context,
  { digests, key: signingKey, rootCA }: TokenOptions,
): Steps<undefined> {
  const secret = caches.of(secrets).getByKey(key);
  if (secret === undefined || !isToken(secret) || secret.metadata?.deletionTimestamp) return;
  const namespace = secret.metadata?.namespace ?? "";
  const name = accountOf(secret);
  if (name === "") return;
  const uid = secret.metadata?.annotations?.[accountUID];
  let account = caches.of(serviceAccounts).get(namespace, name);
  // Before a secret is deleted the server is asked: the cache may be late.
  account ??= yield* read(serviceAccounts, namespace, name);
  if (account === undefined || (uid !== undefined && account.metadata?.uid !== uid)) {
    yield* remove(secrets, secret);
    return;
  }
  const data: Record<string, string> = { ...secret.data };
  if (rootCA !== undefined) data["ca.crt"] = btoa(rootCA);
  data.namespace ??= btoa(namespace);
  data.token ??= btoa(digests.signJWT(signingKey, claims(account, secret)));
  const changed = Object.keys(data).some((field) => data[field] !== secret.data?.[field]);
  if (!changed) return;
  const annotations = {
    ...secret.metadata?.annotations,
    [accountName]: name,
    [accountUID]: account.metadata?.uid ?? "",
  };
  yield* update(secrets, { ...secret, metadata: { ...secret.metadata, annotations }, data });
}
