/**
 * One API server: the store, the pipeline and its listeners put together.
 *
 * Nothing here is global; a process may hold many.
 */
import type { Clock, Log, Random } from "@nanokube/machinery";
import type { HttpTransport } from "@nanokube/client";
import type { Channel } from "@nanokube/rpc";
import type { UserInfo } from "../core/authentication/authenticator.ts";
import {
  createAuthenticator,
  type ServerAuthenticator,
} from "../core/authentication/create-authenticator.ts";
import { usualRequestHeaders } from "../core/authentication/request-header.ts";
import { createAuthorizer, type ServerAuthorizer } from "../core/authorization/create-authorizer.ts";
import { createHandler, type Handler } from "../core/handler.ts";
import { createLocalClient, type LocalClient } from "../core/local-client.ts";
import { createNonResource } from "../core/non-resource.ts";
import { ResourceRegistry, type StorageMediaType } from "../core/registry.ts";
import type { RestServer } from "../core/rest/context.ts";
import { createReader, type StoreReader } from "../core/rest/reader.ts";
import { strategyFor } from "../resources/index.ts";
import { bootstrap } from "./bootstrap.ts";
import { customCodec } from "./custom-codec.ts";
import { EtcdStore } from "./etcd-store.ts";
import { HttpServer } from "./http-server.ts";
import { createMemoryTransport } from "./memory-transport.ts";
import { serveOpenAPI } from "./openapi-server.ts";

export interface ApiServerPKI {
  /** PEM bundle of the CAs whose certificates are users. */
  clientCA?: string;
  servingCert?: string;
  servingKey?: string;
  /** PEM private key that signs service-account tokens. */
  serviceAccountSigningKey?: string;
  /** More PEM keys (public or private) whose tokens are accepted. */
  serviceAccountKeys?: readonly string[];
  kubeletClientCert?: string;
  kubeletClientKey?: string;
  /** PEM of the CA of kubelets; absent: their certificates are not checked, as upstream. */
  kubeletCA?: string;
  requestHeaderCA?: string;
}

export interface ApiServerOptions {
  etcd: Channel;
  clock: Clock;
  random: Random;
  log: Log;
  serviceClusterIPRange: string;
  advertiseAddress: string;
  /** Where clients reach this server; the listeners' port when absent. */
  advertisePort?: number;
  pki: ApiServerPKI;
  /** "Node", "RBAC", "AlwaysAllow", "AlwaysDeny", in order. */
  authorizationMode: readonly string[];
  admission?: { enable?: readonly string[]; disable?: readonly string[] };
  serviceAccountIssuer: string;
  apiAudiences?: readonly string[];
  /** Token → user. */
  tokens?: ReadonlyMap<string, UserInfo>;
  anonymous?: boolean;
  requestHeaderAllowedNames?: readonly string[];
  runtimeConfig?: Readonly<Record<string, boolean>>;
  storageMediaType?: StorageMediaType;
}

export interface ApiServer {
  listen(address: { host: string; port: number }): Promise<{ port: number }>;
  /** The same API without a socket, as this user. */
  transport(user: UserInfo): HttpTransport;
  /** Resolves when namespaces, policy and the kubernetes Service are there. */
  ready: Promise<void>;
  close(): Promise<void>;
}

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const parts = assemble(options);
  await parts.store.start();
  const ready = bootstrap({ ...parts, options }).then(() => {
    parts.state.ready = true;
  });
  ready.catch((error: unknown) =>
    options.log.error({ error: String(error) }, "bootstrap failed"),
  );
  const servers: HttpServer[] = [];
  return {
    ready,
    transport: (user) => createMemoryTransport(parts.handler, user),
    async listen({ host, port }) {
      const server = createListener(options, parts.handler);
      const bound = await server.listen(host, port);
      servers.push(server);
      return { port: bound };
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
      parts.store.close();
    },
  };
}

export interface Parts {
  store: EtcdStore;
  registry: ResourceRegistry;
  reader: StoreReader;
  authenticator: ServerAuthenticator;
  authorizer: ServerAuthorizer;
  server: RestServer;
  handler: Handler;
  local: LocalClient;
  state: { ready: boolean };
}

function assemble(options: ApiServerOptions): Parts {
  const { clock, random, log } = options;
  const store = new EtcdStore({ etcd: options.etcd, clock, log, customCodec });
  const registry = new ResourceRegistry({
    strategyFor,
    runtimeConfig: options.runtimeConfig ?? {},
    storageMediaType: options.storageMediaType ?? "application/json",
    open: (prefix, codec) => store.register(prefix, codec),
  });
  const reader = createReader(registry, store);
  const authorizer = createAuthorizer({ modes: options.authorizationMode, reader });
  const authenticator = buildAuthenticator(options, reader);
  const state = { ready: false };
  const server: RestServer = {
    store,
    clock,
    random,
    log,
    authorizer,
    admission: { admit: async () => undefined, validate: async () => undefined },
    hooksFor: () => ({}),
    lookup: (group, version, plural) => registry.lookup(group, version, plural),
    served: () => registry.served(),
  };
  const serveOther = createNonResource({
    resources: () => [...registry.served()].map((resource) => resource.info),
    generation: () => registry.generation,
    serverAddress: `${options.advertiseAddress}:${options.advertisePort ?? 6443}`,
    checks: healthChecks(store, state),
    more: [serveOpenAPI(registry)],
  });
  const handler = createHandler({
    server,
    authenticator,
    outside: () => undefined,
    serveOther,
    aggregated: () => undefined,
    hasGroupVersion: (group, version) => registry.hasGroupVersion(group, version),
  });
  const local = createLocalClient(handler);
  return { store, registry, reader, authenticator, authorizer, server, handler, local, state };
}

function buildAuthenticator(options: ApiServerOptions, reader: StoreReader): ServerAuthenticator {
  const { clock, log, pki } = options;
  return createAuthenticator({
    clock,
    log,
    reader,
    clientCA: pki.clientCA,
    requestHeader:
      pki.requestHeaderCA === undefined
        ? undefined
        : {
            ca: pki.requestHeaderCA,
            allowedNames: options.requestHeaderAllowedNames ?? [],
            ...usualRequestHeaders,
          },
    tokens: options.tokens,
    bootstrapTokens: true,
    anonymous: options.anonymous ?? true,
    ...(options.apiAudiences === undefined ? {} : { audiences: options.apiAudiences }),
  });
}

function healthChecks(store: EtcdStore, state: { ready: boolean }) {
  const etcd = async (): Promise<string | undefined> => {
    try {
      await store.catchUp();
      return undefined;
    } catch (error) {
      return String(error);
    }
  };
  return [
    { name: "ping", check: () => undefined },
    { name: "log", check: () => undefined },
    { name: "etcd", check: etcd },
    { name: "etcd-readiness", check: etcd, readyOnly: true },
    {
      name: "poststarthook/rbac/bootstrap-roles",
      check: () => (state.ready ? undefined : "not finished"),
    },
    {
      name: "informer-sync",
      check: () => (store.synced ? undefined : "not synced"),
      readyOnly: true,
    },
  ];
}

function createListener(options: ApiServerOptions, handler: Handler): HttpServer {
  const { pki } = options;
  if (pki.servingCert === undefined || pki.servingKey === undefined) {
    throw new Error("a listener needs pki.servingCert and pki.servingKey");
  }
  return new HttpServer({
    cert: pki.servingCert,
    key: pki.servingKey,
    certificates: {
      clientCA: pki.clientCA === undefined ? [] : [pki.clientCA],
      requestHeaderCA: pki.requestHeaderCA === undefined ? [] : [pki.requestHeaderCA],
    },
    handler,
    upgrade: (_request, socket) => socket.destroy(),
  });
}
