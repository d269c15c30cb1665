/**
 * Groups of other servers: their APIServices are followed, the servers asked whether they live and
 * what they have, and requests sent on to them.
 *
 * Units   a server is asked again after 30 s, or as soon as something about it changes
 * Errors  503 "service unavailable" while its condition says that it is not Available,
 *         503 "error trying to reach service: …" when it does not answer
 * Source  kube-aggregator pkg/apiserver/handler_proxy.go,
 *         pkg/controllers/status/remote/remote_available_controller.go
 */
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { APIResourceList } from "@nanokube/api/meta/v1";
import { type Clock, type KubeObject, type Log, sleep } from "@nanokube/machinery";
import {
  type Condition,
  obstacle,
  passed,
  unavailable,
  withCondition,
} from "../core/aggregation/availability.ts";
import { foreignResources } from "../core/aggregation/foreign-resources.ts";
import { identityHeaders, isIdentityHeader } from "../core/aggregation/proxy-headers.ts";
import {
  type RemoteService,
  remoteService,
  resolveService,
  type ServiceShape,
  type SliceShape,
} from "../core/aggregation/remote-service.ts";
import type { UserInfo } from "../core/authentication/authenticator.ts";
import type { ForeignVersion } from "../core/discovery/discovery.ts";
import type { LocalClient } from "../core/local-client.ts";
import type { ForeignOpenAPIs } from "../core/openapi/serve-openapi.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import type { ApiRequest, ApiResponse } from "../core/rest/context.ts";
import { type BackendCredentials, forward, headersToPassOn, joinUpgrade } from "./backend.ts";
import { dialProblem } from "./dial-problem.ts";
import type { ForeignOpenAPI } from "./foreign-openapi.ts";
import { askRemote, TextError, textAnswer } from "./remote-call.ts";
import { wholeAnswer } from "./whole-answer.ts";

const askAgainMs = 30_000;
const retryMinMs = 500;
const settleMs = 50;
const askTimeoutMs = 5_000;

export interface AggregatorOptions {
  registry: ResourceRegistry;
  local(): LocalClient;
  /** The certificate that proves to servers behind this one who speaks. */
  proxyClient: BackendCredentials;
  /** Connect to endpoints, not to the Service's address (--enable-aggregator-routing). */
  toEndpoints: boolean;
  clock: Clock;
  log: Log;
}

const openAPIUser: UserInfo = { name: "system:aggregator", groups: ["system:masters"] };
const aggregatorUser: UserInfo = { name: "system:kube-aggregator", groups: ["system:masters"] };

export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #known = new Map<string, ForeignVersion>();
  /** By "group/version"; made anew when an APIService changes. */
  #remotes: ReadonlyMap<string, RemoteService> = new Map();
  #remotesAt = -1;
  #generation = 0;
  #wake: (() => void) | undefined;
  #openAPI: ForeignOpenAPI | undefined;

  constructor(options: AggregatorOptions) {
    this.#options = options;
  }

  get generation(): number {
    return this.#generation;
  }

  foreign(): ForeignVersion[] {
    return [...this.#known.values()];
  }

  /** The caches must be loaded. */
  async start(signal: AbortSignal): Promise<void> {
    const onEvent = (): void => this.#wake?.();
    for (const [group, plural] of followed) {
      const cache = this.#options.registry.find(group, plural)?.cache;
      const stop = cache?.watch({ onEvent, onReset: onEvent });
      if (stop !== undefined) signal.addEventListener("abort", stop);
    }
    let retryMs = retryMinMs;
    while (!signal.aborted) {
      const isWell = await this.#checkAll();
      retryMs = isWell ? retryMinMs : Math.min(retryMs * 2, askAgainMs);
      await this.#pause(isWell ? askAgainMs : retryMs, signal);
    }
  }

  serve(request: ApiRequest, user: UserInfo): Promise<ApiResponse> | undefined {
    const remotes = this.#current();
    if (remotes.size === 0 || !request.path.startsWith("/apis/")) return undefined;
    const remote = this.#remoteOf(request);
    return remote === undefined ? undefined : this.#passOn(remote, request, user);
  }

  #remoteOf({ path }: ApiRequest): RemoteService | undefined {
    const [, root, group, version] = path.split("/");
    return root === "apis" ? this.#current().get(`${group}/${version}`) : undefined;
  }

  /** What the other servers describe; undefined before the first of them has answered. */
  openAPI(): ForeignOpenAPIs | undefined {
    const known = this.#openAPI;
    if (known === undefined) return undefined;
    return {
      links: () => known.links(),
      v2: () => known.v2(),
      serve: (name, request) => {
        const { group, version } = known.owner(name) ?? {};
        const remote = this.#current().get(`${group}/${version}`);
        return remote && this.#passOn(remote, request, openAPIUser);
      },
    };
  }

  /** Undefined when the path is nobody else's. @throws TextError */
  upgrade(
    request: ApiRequest,
    user: UserInfo,
    connection: { socket: Duplex; head: Buffer; onSwitched?: () => void },
  ): Promise<void> | undefined {
    const remote = this.#remoteOf(request);
    if (remote === undefined) return undefined;
    const call = this.#callTo(remote, request, user);
    if (call === undefined) return Promise.reject(new TextError("service unavailable"));
    return joinUpgrade({ ...call, send: httpsRequest, request, ...connection });
  }

  async #passOn(remote: RemoteService, request: ApiRequest, user: UserInfo): Promise<ApiResponse> {
    const call = this.#callTo(remote, request, user);
    if (call === undefined) return textAnswer(503, "service unavailable");
    try {
      return await forward({ ...call, send: httpsRequest, request });
    } catch (error) {
      if (error instanceof TextError) return textAnswer(503, error.message);
      throw error;
    }
  }

  /** Undefined while the server is not there. */
  #callTo(remote: RemoteService, request: ApiRequest, user: UserInfo) {
    const resolved = this.#resolve(remote);
    if (!remote.isAvailable || "problem" in resolved) return undefined;
    const headers: Record<string, string | string[]> = { ...identityHeaders(user) };
    for (const [name, value] of Object.entries(headersToPassOn(request))) {
      if (!isIdentityHeader(name)) headers[name] = value;
    }
    const query = request.query.toString();
    const path = query === "" ? request.path : `${request.path}?${query}`;
    const { proxyClient } = this.#options;
    const options = askRemote({ remote, ...resolved, path, headers, proxyClient });
    const refusal = (error: Error) =>
      new TextError(`error trying to reach service: ${dialProblem(resolved, error)}`);
    return { options: { ...options, method: request.method }, refusal };
  }

  #current(): ReadonlyMap<string, RemoteService> {
    const cache = this.#options.registry.find("apiregistration.k8s.io", "apiservices")?.cache;
    if (cache === undefined || cache.changedAt === this.#remotesAt) return this.#remotes;
    const remotes = new Map<string, RemoteService>();
    for (const object of cache.scan()) {
      const remote = remoteService(object.shared());
      if (remote !== undefined) remotes.set(`${remote.group}/${remote.version}`, remote);
    }
    this.#remotesAt = cache.changedAt;
    this.#remotes = remotes;
    return remotes;
  }

  /** True when every server answered. */
  async #checkAll(): Promise<boolean> {
    const remotes = this.#current();
    for (const key of this.#known.keys()) {
      if (remotes.has(key)) continue;
      this.#known.delete(key);
      this.#generation++;
    }
    this.#openAPI?.keep(new Set([...remotes.values()].map(({ name }) => name)));
    const outcomes = await Promise.all([...remotes.values()].map((remote) => this.#check(remote)));
    return outcomes.every(({ status }) => status === "True");
  }

  async #check(remote: RemoteService): Promise<Condition> {
    const { service, slices } = this.#objectsOf(remote);
    const condition = obstacle(remote, service, slices) ?? (await this.#ask(remote));
    if (condition.status !== "True") this.#markStale(remote);
    await this.#publish(remote, condition).catch((error: unknown) =>
      this.#options.log.warn({ error: String(error), apiService: remote.name }, "status not kept"),
    );
    return condition;
  }

  async #ask(remote: RemoteService): Promise<Condition> {
    const { group, version } = remote;
    const resolved = this.#resolve(remote);
    if ("problem" in resolved) return unavailable("FailedDiscoveryCheck", resolved.problem);
    const path = `/apis/${group}/${version}`;
    const { proxyClient } = this.#options;
    const headers = { ...identityHeaders(aggregatorUser), accept: "application/json" };
    const call = askRemote({ remote, ...resolved, path, headers, proxyClient });
    const url = `https://${resolved.host}:${resolved.port}${path}`;
    try {
      const { status, text } = await wholeAnswer(call, { timeoutMs: askTimeoutMs });
      if (status < 200 || status >= 300) throw new Error(`bad status from ${url}: ${status}`);
      const resources = foreignResources(group, version, JSON.parse(text) as APIResourceList);
      this.#learn(remote, { resources, stale: false });
      void this.#describe(remote);
      return passed;
    } catch (error) {
      const why = dialProblem(resolved, error as Error);
      const text = why.startsWith("bad status") ? why : `Get ${JSON.stringify(url)}: ${why}`;
      return unavailable(
        "FailedDiscoveryCheck",
        `failing or missing response from ${url}: ${text}`,
      );
    }
  }

  /** A server without OpenAPI is one all the same. */
  async #describe(remote: RemoteService): Promise<void> {
    try {
      const { ForeignOpenAPI } = await import("./foreign-openapi.ts");
      this.#openAPI ??= new ForeignOpenAPI((...asked) => this.#read(...asked));
      await this.#openAPI.look(remote);
    } catch (error) {
      this.#options.log.warn({ error: String(error), apiService: remote.name }, "no OpenAPI");
    }
  }

  #read(remote: RemoteService, path: string, headers: Record<string, string>) {
    const resolved = this.#resolve(remote);
    if ("problem" in resolved) throw new Error(resolved.problem);
    const { proxyClient } = this.#options;
    const all = { ...identityHeaders(openAPIUser), ...headers };
    const call = askRemote({ remote, ...resolved, path, headers: all, proxyClient });
    return wholeAnswer(call, { timeoutMs: askTimeoutMs });
  }

  #learn(remote: RemoteService, news: Pick<ForeignVersion, "resources" | "stale">): void {
    const { group, version, groupPriority, versionPriority } = remote;
    const priority = { group: groupPriority, version: versionPriority };
    const next: ForeignVersion = { group, version, priority, ...news };
    const key = `${group}/${version}`;
    if (JSON.stringify(this.#known.get(key)) === JSON.stringify(next)) return;
    this.#known.set(key, next);
    this.#generation++;
  }

  #markStale(remote: RemoteService): void {
    const known = this.#known.get(`${remote.group}/${remote.version}`);
    this.#learn(remote, { resources: known?.resources ?? [], stale: true });
  }

  async #publish(remote: RemoteService, condition: Condition): Promise<void> {
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/${remote.name}`;
    const local = this.#options.local();
    const current = await local.get(path);
    if (current === undefined) return;
    const now = `${new Date(this.#options.clock.now()).toISOString().slice(0, 19)}Z`;
    const { conditions = [] } = (current["status"] ?? {}) as { conditions?: Condition[] };
    const next = withCondition(conditions, condition, now);
    if (next !== undefined) await local.update(`${path}/status`, changed(current, next));
  }

  #objectsOf({ namespace, service }: RemoteService) {
    const { registry } = this.#options;
    const object = registry.find("", "services")?.cache.get(`${namespace}/${service}`);
    const slices: SliceShape[] = [];
    const cache = registry.find("discovery.k8s.io", "endpointslices")?.cache;
    for (const slice of cache?.scan(`${namespace}/`) ?? []) {
      if (slice.index.labels["kubernetes.io/service-name"] === service) {
        slices.push(slice.shared() as SliceShape);
      }
    }
    return { service: object?.shared() as ServiceShape | undefined, slices };
  }

  #resolve(remote: RemoteService) {
    const { service, slices } = this.#objectsOf(remote);
    return resolveService(remote, service, slices, this.#options.toEndpoints);
  }

  /** Until the time is over or something changes; a burst of changes is one. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const stop = new AbortController();
    const changed = new Promise<void>((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
    const rest = sleep(clock, ms, AbortSignal.any([signal, stop.signal])).catch(() => undefined);
    await Promise.race([rest, changed]);
    stop.abort();
    await sleep(clock, settleMs, signal).catch(() => undefined);
  }
}

const followed = [
  ["apiregistration.k8s.io", "apiservices"],
  ["", "services"],
  ["discovery.k8s.io", "endpointslices"],
] as const;

function changed(object: KubeObject, conditions: Condition[]): KubeObject {
  return { ...object, status: { ...(object["status"] as object | undefined), conditions } };
}
