/**
 * One API server: the store, the pipeline and its listeners put together.
 *
 * Nothing here is global; a process may hold many.
 */

import type { ResourceInfo } from "@nanokube/api";
import type { HttpTransport } from "@nanokube/client";
import { type Clock, sleep } from "@nanokube/machinery";
import { AccessMetrics } from "../core/access-metrics.ts";
import type { AdmissionMetrics } from "../core/admission/admission-metrics.ts";
import type { UserInfo } from "../core/authentication/authenticator.ts";
import {
  createAuthenticator,
  type ServerAuthenticator,
} from "../core/authentication/create-authenticator.ts";
import { Impersonator } from "../core/authentication/impersonation/impersonator.ts";
import { usualRequestHeaders } from "../core/authentication/request-header.ts";
import { type SecretLabeller, TokenUses } from "../core/authentication/token-uses.ts";
import { authorizeClaimStatus } from "../core/authorization/claim-status.ts";
import {
  createAuthorizer,
  type ServerAuthorizer,
} from "../core/authorization/create-authorizer.ts";
import type { ResourceCache } from "../core/cache/resource-cache.ts";
import { CustomResources, markDefinition } from "../core/crd/custom-resources.ts";
import { type FeatureGates, usualGates } from "../core/feature-gates.ts";
import { createHandler, type Handler, type HandlerOptions } from "../core/handler.ts";
import { createLocalClient, type LocalClient } from "../core/local-client.ts";
import { createNonResource } from "../core/non-resource.ts";
import { createCachedReader, createFreshReader, type ObjectReader } from "../core/object-reader.ts";
import { ResourceRegistry } from "../core/registry.ts";
import { RequestMetrics } from "../core/request-metrics.ts";
import { type RestServer, usualTimeLimits, type WriteHooks } from "../core/rest/context.ts";
import { parseRanges } from "../core/service/cidr.ts";
import { ClusterIPs } from "../core/service/cluster-ips.ts";
import { NodePorts } from "../core/service/node-ports.ts";
import { createServiceHooks } from "../core/service/service-hooks.ts";
import { ServiceRanges } from "../core/service/service-ranges.ts";
import { DisabledFields } from "../resources/disabled-fields.ts";
import { strategyFor } from "../resources/index.ts";
import { withoutPrivileged } from "../resources/privileged.ts";
import { accessWays, authorizationWebhooks, followAuthorizers } from "./access-ways.ts";
import { createAdmission } from "./admission.ts";
import { Aggregator } from "./aggregator.ts";
import type { ApiServerOptions, ApiServerPKI } from "./api-server-options.ts";
import type { BackendCredentials } from "./backend.ts";
import { bootstrap } from "./bootstrap.ts";
import { RenewableAuthorities } from "./certificate-authorities.ts";
import { CountedEndpoints } from "./counted-endpoints.ts";
import { customCodec } from "./custom-codec.ts";
import { EndpointLeases } from "./endpoint-leases.ts";
import { EtcdStore } from "./etcd-store.ts";
import { extraPaths } from "./extra-paths.ts";
import { healthChecks, type ServerState } from "./health-checks.ts";
import type { HttpServer } from "./http-server.ts";
import { EndpointKeeper } from "./kubernetes-endpoints.ts";
import { createListener, followCertificates } from "./listeners.ts";
import { createMemoryTransport } from "./memory-transport.ts";
import { outsideOperations } from "./outside-operations.ts";
import { followFlowSchemas, overloadControl } from "./overload.ts";
import { etcdProbe } from "./patient-store.ts";
import { logged } from "./request-log.ts";
import { type Keys, readKeys } from "./service-account-keys.ts";
import { startServiceRepair } from "./service-repair.ts";
import { buildIssuer } from "./token-issuer.ts";
import { createWebhookCaller } from "./webhook-caller.ts";

export type { ApiServerOptions, ApiServerPKI };

export interface ApiServer {
  listen(address: { host: string; port: number }): Promise<{ port: number }>;
  /** The same API without a socket, as this user. */
  transport(user: UserInfo): HttpTransport;
  /** Resolves when namespaces, policy and the kubernetes Service are there. */
  ready: Promise<void>;
  /** /readyz fails at once; after the delay what is being answered may finish, then all ends. */
  shutdown(delayMs: number): Promise<void>;
  close(): Promise<void>;
}

function toKubelets({ pki, proxiesToLoopback = false }: ApiServerOptions): BackendCredentials {
  const { kubeletClientCert: cert, kubeletClientKey: key, kubeletCA: ca } = pki;
  return { cert, key, ca, allowsLoopback: proxiesToLoopback };
}

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const keys = await readKeys(options.pki);
  const stop = new AbortController();
  const rotated: { onRotated(): void } = { onRotated: () => undefined };
  await options.encryption?.open({
    ...options,
    signal: stop.signal,
    onRotated: () => rotated.onRotated(),
  });
  const parts = assemble(options, keys, stop.signal);
  rotated.onRotated = () => parts.store.sealedOtherwise();
  await parts.store.start();
  const endpoints = endpointKeeper(options, parts);
  const custom = new CustomResources({
    ...parts,
    clock: options.clock,
    log: options.log,
    random: options.random,
    open: (prefix, codec) => parts.store.register(prefix, codec),
    callWebhook: createWebhookCaller(
      createCachedReader(parts.registry),
      options.aggregatorRouting ?? false,
    ),
  });
  await custom.start();
  const ready = bootstrap({ ...parts, options }).then(() => {
    parts.state.ready = true;
  });
  ready.catch((error: unknown) => options.log.error({ error: String(error) }, "bootstrap failed"));
  void parts.aggregator.start(stop.signal);
  const following = ready.then(() => followFlowSchemas(options, parts, stop.signal));
  following.catch(() => undefined); // It was stopped before.
  ready.then(() => startServiceRepair({ ...parts, options }, stop.signal)).catch(() => undefined);
  const servers: HttpServer[] = [];
  return {
    ready,
    transport: (user) => createMemoryTransport(parts.handler, user),
    async listen({ host, port }) {
      const server = createListener(options, parts);
      const bound = await server.listen(host, port);
      servers.push(server);
      followCertificates(options, parts, { server, signal: stop.signal });
      // Its namespace is made first.
      const ownPort = options.advertisePort ?? bound;
      const published = ready.then(() => endpoints?.join(ownPort, stop.signal));
      published.catch((error: unknown) =>
        options.log.error({ error: String(error) }, "the kubernetes Service has no endpoints"),
      );
      return { port: bound };
    },
    async shutdown(delayMs) {
      parts.state.stopping = true;
      await endpoints?.leave();
      await sleep(options.clock, delayMs);
      await Promise.all(
        servers.map((server) =>
          server.drain(options.clock, parts.handlerOptions.server.limits.requestTimeoutMs),
        ),
      );
      stop.abort();
      parts.store.close();
      await options.audit?.close();
    },
    async close() {
      stop.abort();
      await Promise.all(servers.map((server) => server.close()));
      parts.store.close();
      await options.audit?.close();
    },
  };
}

/** Undefined: this server is no endpoint. */
function endpointKeeper(options: ApiServerOptions, parts: Parts): EndpointKeeper | undefined {
  const { endpointReconciler: type = "lease", advertiseAddress } = options;
  // An endpoint cannot be a loopback address: it would mean another machine on each machine.
  if (type === "none" || advertiseAddress.startsWith("127.")) return undefined;
  const Reconciler = type === "lease" ? EndpointLeases : CountedEndpoints;
  return new EndpointKeeper(options, new Reconciler(options, parts));
}

export interface Parts {
  aggregator: Aggregator;
  store: EtcdStore;
  /** Of masterleases/. */
  endpointLeases: ResourceCache;
  authorities: RenewableAuthorities;
  registry: ResourceRegistry;
  handlerOptions: HandlerOptions;
  handler: Handler;
  local: LocalClient;
  credentials: BackendCredentials;
  state: ServerState;
}

function assemble(options: ApiServerOptions, keys: Keys, signal: AbortSignal): Parts {
  const { clock, featureGates: gates = usualGates } = options;
  const store = openStore(options);
  const state: ServerState = { ready: false, stopping: false };
  const registry = new ResourceRegistry({
    strategyFor: options.allowPrivileged === false ? withoutPrivileged(strategyFor) : strategyFor,
    runtimeConfig: options.runtimeConfig ?? {},
    storageMediaType: options.storageMediaType ?? "application/json",
    open: (prefix, codec) => store.register(prefix, codec),
  });
  const { codec } = registry.lookup("", "v1", "endpoints")!.cache;
  const endpointLeases = store.register("masterleases/", codec);
  const reader = createCachedReader(registry);
  const fresh = createFreshReader(reader, store);
  const authorizer = createAuthorizer({
    modes: options.authorizationMode,
    reader,
    webhooks: authorizationWebhooks(options, options.access?.authorizers ?? []),
  });
  void followAuthorizers(options, authorizer, signal);
  const authorities = new RenewableAuthorities();
  const uses = tokenUses(clock, () => local);
  const trust = { accepted: keys.accepted, authorities, uses };
  const authenticator = buildAuthenticator(options, trust, fresh, signal);
  const access = new AccessMetrics();
  const counted = { uses, metrics: new RequestMetrics(), access };
  const isConstrained = gates.isOn("ConstrainedImpersonation");
  const impersonator = new Impersonator({ authorizer, clock, access, isConstrained });
  const server = restServer({
    options,
    store,
    registry,
    fresh,
    authorizer,
    admissionMetrics: counted.metrics.admission,
    local: () => local,
  });
  const credentials = toKubelets(options);
  const issuer = buildIssuer(options, keys, fresh);
  const { apiAudiences = [options.serviceAccountIssuer] } = options;
  const aggregator = createAggregator(options, registry, () => local);
  const flowControl = overloadControl(options, registry);
  const paths = { ...counted, options, registry, flowControl, aggregator };
  const handlerOptions: HandlerOptions = {
    server,
    authenticator,
    impersonator,
    outside: outsideOperations({ authenticator, authorizer, apiAudiences, issuer, credentials }),
    serveOther: createNonResource({
      resources: () => [...registry.served()].map(({ info }) => shown(info, gates)),
      foreign: () => aggregator.foreign(),
      generation: () => registry.generation + aggregator.generation,
      serverAddress: `${options.advertiseAddress}:${options.advertisePort ?? 6443}`,
      checks: healthChecks(store, etcdProbe(options.etcd), state, options.encryption),
      more: extraPaths({ ...paths, keys: keys.accepted, store }),
    }),
    aggregated: (request, user) => aggregator.serve(request, user),
    flowControl,
    ...counted,
    audit: options.audit,
    hasGroupVersion: (group, version) => registry.hasGroupVersion(group, version),
  };
  const handler = logged(createHandler(handlerOptions), options);
  const local = createLocalClient(handler);
  const made = { aggregator, store, endpointLeases, authorities, registry, credentials, state };
  return { ...made, handlerOptions, handler, local };
}

/** What discovery says of a resource. */
function shown(info: ResourceInfo, gates: FeatureGates): ResourceInfo {
  if (gates.isOn("StorageVersionHash")) return info;
  const { storageVersionHash: _hidden, ...rest } = info;
  return rest;
}

function openStore(options: ApiServerOptions): EtcdStore {
  const { etcd, etcdPrefix: prefix, clock, log, limits, encryption } = options;
  const timeoutMs = limits?.requestTimeoutMs;
  return new EtcdStore({ etcd, prefix, clock, log, customCodec, timeoutMs, encryption });
}

function tokenUses(clock: Clock, local: () => LocalClient): TokenUses {
  const label: SecretLabeller = ({ metadata: secret }, labels) => {
    const path = `/api/v1/namespaces/${secret?.namespace}/secrets/${secret?.name}`;
    return local().merge(path, { metadata: { uid: secret?.uid, labels } });
  };
  return new TokenUses(clock, label);
}

function createAggregator(
  { clock, log, pki, aggregatorRouting = false }: ApiServerOptions,
  registry: ResourceRegistry,
  local: () => LocalClient,
): Aggregator {
  const proxyClient = { cert: pki.proxyClientCert, key: pki.proxyClientKey };
  return new Aggregator({
    registry,
    local,
    proxyClient,
    toEndpoints: aggregatorRouting,
    clock,
    log,
  });
}

interface RestParts {
  options: ApiServerOptions;
  store: EtcdStore;
  registry: ResourceRegistry;
  fresh: ObjectReader;
  authorizer: ServerAuthorizer;
  local(): LocalClient;
  admissionMetrics: AdmissionMetrics;
}

function restServer(parts: RestParts): RestServer {
  const { options, store, registry, fresh, ...rest } = parts;
  const { clock, random, log, featureGates: gates = usualGates } = options;
  const serviceHooks = buildServiceHooks(options, registry, store);
  const definitionHooks: WriteHooks = { beginDelete: (object) => markDefinition(object, clock) };
  const served = () => registry.served();
  return {
    limits: { ...usualTimeLimits, ...options.limits },
    gates,
    disabledFields: new DisabledFields(gates),
    store,
    clock,
    random,
    log,
    authorizer: rest.authorizer,
    admission: createAdmission(options, { reader: fresh, served, ...rest }),
    hooksFor: ({ info }) => {
      if (info.group === "" && info.plural === "services") return serviceHooks;
      if (info.plural === "resourceclaims") return { authorizeUpdate: authorizeClaimStatus };
      return info.plural === "customresourcedefinitions" ? definitionHooks : {};
    },
    lookup: (group, version, plural) => registry.lookup(group, version, plural),
    served,
  };
}

function buildServiceHooks(
  options: ApiServerOptions,
  registry: ResourceRegistry,
  store: EtcdStore,
) {
  const { clock, random } = options;
  const addresses = registry.lookup("networking.k8s.io", "v1", "ipaddresses");
  const services = registry.lookup("", "v1", "services");
  const cidrs = registry.lookup("networking.k8s.io", "v1", "servicecidrs");
  if (addresses === undefined || services === undefined || cidrs === undefined) return {};
  const ranges = new ServiceRanges(cidrs.cache, parseRanges(options.serviceClusterIPRange));
  return createServiceHooks({
    ips: new ClusterIPs({ store, cache: addresses.cache, clock, random, ranges }),
    ports: new NodePorts(services.cache, random, options.nodePortRange),
  });
}

function buildAuthenticator(
  options: ApiServerOptions,
  trust: Pick<Keys, "accepted"> & { authorities: RenewableAuthorities; uses: TokenUses },
  reader: ObjectReader,
  signal: AbortSignal,
): ServerAuthenticator {
  const { clock, log, pki, featureGates: gates = usualGates } = options;
  const { accepted, authorities, uses } = trust;
  const proxy =
    pki.requestHeaderCA === undefined
      ? undefined
      : {
          ca: pki.requestHeaderCA,
          allowedNames: options.requestHeaderAllowedNames ?? [],
          ...(options.requestHeaders ?? usualRequestHeaders),
        };
  return createAuthenticator({
    clock,
    log,
    reader,
    openAuthorities: authorities.open,
    clientCA: pki.clientCA,
    readsUID: gates.isOn("AllowParsingUserUIDFromCertAuth"),
    requestHeader: proxy,
    tokens: options.tokens,
    bootstrapTokens: options.bootstrapTokens ?? true,
    ...accessWays(options, signal),
    serviceAccounts:
      accepted.length === 0
        ? undefined
        : {
            issuers: [options.serviceAccountIssuer, ...(options.acceptedIssuers ?? [])],
            keys: accepted,
            uses,
          },
    ...(options.apiAudiences === undefined ? {} : { audiences: options.apiAudiences }),
  });
}
