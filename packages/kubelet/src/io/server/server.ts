/**
 * The kubelet's HTTPS server: what the API server, kubectl and monitoring ask of a node.
 *
 * Every request but none is authenticated, then authorized as get/create/… on nodes/<subresource>.
 * Source  pkg/kubelet/server/server.go
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Pod } from "@nanokube/api/core/v1";
import { podName, podNamespace, podUID } from "../../core/pod.ts";
import { runningContainers } from "../../core/runtime-status.ts";
import { type RuntimeClient, rpcDetails } from "../cri-runtime.ts";
import type { KubeletOptions } from "../kubelet-options.ts";
import type { PodWorkers } from "../pod-workers.ts";
import type { RuntimeCache } from "../runtime-cache.ts";
import type { StatusManager } from "../status-manager.ts";
import { RequestAuthority } from "./authentication.ts";
import {
  containerForLogs,
  hasContainer,
  LogError,
  parseLogOptions,
  streamLogs,
} from "./container-logs.ts";
import { type MetricsDeps, processMetrics, resourceMetrics, statsSummary } from "./metrics.ts";
import { selfSigned } from "./self-signed.ts";
import {
  parseWishes,
  refuseUpgrade,
  serveCommand,
  servePortForward,
  type Upgrade,
} from "./streaming.ts";

export interface KubeletServer {
  readonly port: number;
  listen(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface KubeletServerDeps {
  options: KubeletOptions;
  runtime: RuntimeClient;
  cache: RuntimeCache;
  workers: PodWorkers;
  statuses: StatusManager;
  pods(): Pod[];
}

const PORT = 10250;

class HTTPError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const text = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(body);
};
const json = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};

class KubeletHandlers {
  readonly #deps: KubeletServerDeps;
  readonly #metrics: MetricsDeps;

  constructor(deps: KubeletServerDeps) {
    this.#deps = deps;
    const { clock, nodeName } = deps.options;
    const { runtime, cache } = deps;
    const runningPods = () => cache.all().filter((s) => runningContainers(s).length > 0).length;
    this.#metrics = { runtime, clock, nodeName, runningPods, startMs: clock.now() };
  }

  #pod(namespace: string, name: string, uid?: string): Pod {
    const found = this.#deps
      .pods()
      .filter((pod) => podNamespace(pod) === namespace && podName(pod) === name)
      .find((pod) => uid === undefined || podUID(pod) === uid);
    if (found === undefined) throw new HTTPError(404, "pod does not exist");
    return found;
  }

  async #logs(
    parts: string[],
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    const [namespace = "", name = "", container = ""] = parts;
    const { runtime, options } = this.#deps;
    if (namespace === "") throw new HTTPError(400, `{"message": "Missing podNamespace."}`);
    let pod: Pod;
    try {
      pod = this.#pod(namespace, name);
    } catch {
      throw new HTTPError(404, `pod "${name}" does not exist\n`);
    }
    if (!hasContainer(pod, container)) {
      throw new HTTPError(404, `container "${container}" not found in pod "${name}"\n`);
    }
    const wishes = parseLogOptions(query, options.clock.now());
    const containerID = containerForLogs(pod, container, wishes.previous);
    const stop = new AbortController();
    request.on("close", () => stop.abort());
    response.on("close", () => stop.abort());
    response.writeHead(200, { "content-type": "text/plain", "transfer-encoding": "chunked" });
    response.flushHeaders();
    const { clock } = options;
    await streamLogs({
      runtime,
      clock,
      containerID,
      options: wishes,
      out: response,
      signal: stop.signal,
    });
    response.end();
  }

  /** The request's answer; false when there is no such path. */
  async serve(url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const [, root = "", ...parts] = url.pathname.split("/");
    switch (root) {
      case "healthz":
        text(response, 200, "ok");
        return true;
      case "pods":
        json(response, {
          kind: "PodList",
          apiVersion: "v1",
          metadata: {},
          items: this.#deps.pods(),
        });
        return true;
      case "containerLogs":
        await this.#logs(parts, url.searchParams, request, response);
        return true;
      case "metrics":
        if (parts[0] === "resource") text(response, 200, await resourceMetrics(this.#metrics));
        else text(response, 200, processMetrics(this.#metrics));
        return true;
      case "stats":
        json(response, await statsSummary(this.#metrics));
        return true;
      case "configz":
        json(response, { kubeletconfig: this.#deps.options.configuration ?? {} });
        return true;
      case "run":
        await this.#run(parts, url.searchParams, response);
        return true;
      default:
        return false;
    }
  }

  #container(parts: string[]): { id: string; pod: Pod } {
    const [namespace = "", name = "", ...rest] = parts;
    // …/namespace/pod/container, or …/namespace/pod/uid/container
    const container = rest.at(-1) ?? "";
    const pod = this.#pod(namespace, name, rest.length > 1 ? rest[0] : undefined);
    const runtime = this.#deps.cache.get(podUID(pod));
    const run = runtime?.containers.find((c) => c.name === container && c.state === "running");
    if (run === undefined) {
      throw new HTTPError(
        404,
        `unable to upgrade connection: container not found ("${container}")`,
      );
    }
    return { id: run.id, pod };
  }

  async #run(parts: string[], query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { id } = this.#container(parts);
    const cmd = (query.get("cmd") ?? "").split(" ");
    const answer = await this.#deps.runtime.execSync({ containerId: id, cmd, timeout: 0 });
    response.writeHead(200);
    response.end(Buffer.concat([answer.stdout, answer.stderr]));
  }

  async upgrade(url: URL, upgrade: Upgrade): Promise<void> {
    const { runtime } = this.#deps;
    const [, root = "", ...parts] = url.pathname.split("/");
    const query = url.searchParams;
    if (root === "exec" || root === "attach") {
      const { id, pod } = this.#container(parts);
      const wishes = parseWishes(query);
      const container = parts.at(-1);
      const spec = pod.spec?.containers?.find((c) => c.name === container);
      // An attached terminal is the container's, not the client's wish.
      const tty = root === "attach" ? (spec?.tty ?? wishes.tty) : wishes.tty;
      const asked = { ...wishes, tty, stderr: wishes.stderr && !tty };
      const open = async () => {
        if (root === "attach") return (await runtime.attach({ containerId: id, ...asked })).url;
        const cmd = query.getAll("command");
        return (await runtime.exec({ containerId: id, cmd, ...asked })).url;
      };
      await serveCommand(upgrade, asked, open);
    } else if (root === "portForward") {
      const [namespace = "", name = "", uid] = parts;
      const pod = this.#pod(namespace, name, uid);
      const sandbox = this.#deps.cache.get(podUID(pod))?.sandboxes.find((box) => box.ready);
      if (sandbox === undefined) throw new HTTPError(404, `pod not found ("${name}_${namespace}")`);
      const port = query
        .getAll("port")
        .flatMap((list) => list.split(","))
        .map(Number);
      await servePortForward(upgrade, async () => {
        return (await runtime.portForward({ podSandboxId: sandbox.id, port })).url;
      });
    } else throw new HTTPError(404, "404 page not found");
  }
}

const statusOf = (error: unknown): number =>
  error instanceof HTTPError || error instanceof LogError ? error.status : 500;

export function createKubeletServer(deps: KubeletServerDeps): KubeletServer {
  const { options } = deps;
  const { serving = {}, log, client, clock, nodeName } = options;
  const handlers = new KubeletHandlers(deps);
  const authority = new RequestAuthority({
    client,
    clock,
    nodeName,
    webhook: serving.webhook !== false,
    anonymous: serving.anonymous === true,
  });
  let server: Server | undefined;
  let bound = serving.port ?? PORT;
  const upgrades = new Set<Duplex>();

  /** undefined: let it in. */
  const guard = async (request: IncomingMessage, url: URL) => {
    const user = await authority.authenticate(request);
    if (user === undefined) return new HTTPError(401, "Unauthorized");
    const refusal = await authority.refuse(user, request.method ?? "GET", url.pathname);
    return refusal === undefined ? undefined : new HTTPError(403, refusal);
  };
  const urlOf = (request: IncomingMessage) => new URL(request.url ?? "/", "https://kubelet");

  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const url = urlOf(request);
      const refused = await guard(request, url);
      if (refused !== undefined) throw refused;
      if (!(await handlers.serve(url, request, response))) {
        text(response, 404, "404 page not found\n");
      }
    } catch (error) {
      if (response.headersSent) response.destroy();
      else text(response, statusOf(error), rpcDetails(error));
    }
  };
  const onUpgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrades.add(socket);
    socket.on("close", () => upgrades.delete(socket));
    socket.on("error", () => {});
    try {
      const url = urlOf(request);
      const refused = await guard(request, url);
      if (refused !== undefined) throw refused;
      await handlers.upgrade(url, { request, socket, head });
    } catch (error) {
      log.info({ url: request.url, err: rpcDetails(error) }, "stream refused");
      refuseUpgrade(socket, statusOf(error), rpcDetails(error));
    }
  };

  return {
    get port() {
      return bound;
    },
    async listen() {
      const { cert, key } =
        serving.cert !== undefined && serving.key !== undefined
          ? { cert: serving.cert, key: serving.key }
          : await selfSigned(options.hostname ?? nodeName, [options.nodeIP], clock.now());
      const made = createServer({
        cert,
        key,
        requestCert: true,
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
        ...(serving.clientCA === undefined ? {} : { ca: serving.clientCA }),
      });
      made.on("request", (request, response) => void onRequest(request, response));
      made.on("upgrade", (request, socket, head) => void onUpgrade(request, socket, head));
      made.on("tlsClientError", () => {});
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      made.once("error", reject);
      made.listen(serving.port ?? PORT, serving.host ?? "0.0.0.0", resolve);
      await promise;
      server = made;
      bound = (made.address() as AddressInfo).port;
    },
    async close() {
      for (const socket of upgrades) socket.destroy();
      const closing = server;
      if (closing === undefined) return;
      closing.closeAllConnections();
      await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
}
