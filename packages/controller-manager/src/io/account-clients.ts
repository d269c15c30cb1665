/**
 * Clients that are service accounts of kube-system, with tokens asked for when they are needed:
 * what --use-service-account-credentials means.
 *
 * Units   a token is good for an hour, and is replaced when a fifth of that is left
 * Errors  those of the token request: the call that needed the token fails with them
 * Source  k8s.io/controller-manager/pkg/clientbuilder/client_builder_dynamic.go
 */
import {
  type Client,
  createClient,
  type HttpRequest,
  type HttpTransport,
  isAlreadyExists,
  isNotFound,
  serviceAccounts,
} from "@nanokube/client";
import type { Clock } from "@nanokube/machinery";
import { accountNamespace } from "../core/accounts.ts";

const expirationSeconds = 3600;
const leewayFraction = 0.2;

export interface AccountClientsOptions {
  /** Makes accounts and asks for their tokens. */
  root: Client;
  /** To the same server, as nobody. */
  anonymous: HttpTransport;
  clock: Clock;
}

interface Token {
  text: string;
  renewAtMs: number;
}

export async function ensureAccount(root: Client, name: string): Promise<void> {
  const api = root.resource(serviceAccounts).namespace(accountNamespace);
  try {
    await api.get(name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await api.create({ metadata: { name, namespace: accountNamespace } }).catch((failure) => {
      if (!isAlreadyExists(failure)) throw failure;
    });
  }
}

async function requestToken({ root, clock }: AccountClientsOptions, name: string): Promise<Token> {
  await ensureAccount(root, name);
  const api = root.resource(serviceAccounts).namespace(accountNamespace);
  const asked = clock.now();
  const { status } = await api.createSubresource<{ status?: { token?: string } }>(name, "token", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds },
  });
  if (!status?.token) throw new Error(`no token came for serviceaccounts "${name}"`);
  return {
    text: status.token,
    renewAtMs: asked + expirationSeconds * 1000 * (1 - leewayFraction),
  };
}

/** The client of an account; each has one token, asked for once however many need it. */
export function createAccountClients(options: AccountClientsOptions): (account: string) => Client {
  const { anonymous, clock } = options;
  return (account) => {
    let token: Token | undefined;
    let asking: Promise<Token> | undefined;
    const valid = async (): Promise<Token> => {
      if (token !== undefined && clock.now() < token.renewAtMs) return token;
      asking ??= requestToken(options, account).finally(() => {
        asking = undefined;
      });
      token = await asking;
      return token;
    };
    const transport = async (request: HttpRequest) => {
      const { text } = await valid();
      return anonymous({
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${text}` },
      });
    };
    return createClient({ transport, userAgent: `nanokube-controller-manager/${account}` });
  };
}
