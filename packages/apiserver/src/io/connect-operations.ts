/**
 * log, exec, attach, portforward and proxy: operations whose answer comes from elsewhere.
 *
 * Source  pkg/registry/core/pod/rest/{log,subresources}.go
 */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import {
  badRequest,
  forbidden,
  genericStatus,
  internalError,
  type StatusError,
} from "@nanokube/machinery";
import { type Admitted, admitRequest, type Course, openCourse } from "../core/admit-request.ts";
import { connectOptions } from "../core/connect/connect-options.ts";
import {
  type Location,
  logLocation,
  proxyLocation,
  streamLocation,
} from "../core/connect/kubelet-location.ts";
import { createHandler, failed, type HandlerOptions } from "../core/handler.ts";
import { isPodStream, type RequestInfo } from "../core/request-info.ts";
import type { ApiRequest, ApiResponse, RestContext } from "../core/rest/context.ts";
import type { Operation } from "../core/rest/dispatch.ts";
import { authorizationOf } from "../core/wire/authorization-attributes.ts";
import type { Aggregator } from "./aggregator.ts";
import { type BackendCredentials, passOn, serviceOutOfReach, tunnel } from "./backend.ts";
import { dialProblem } from "./dial-problem.ts";
import { sendOverSocket, type Upgrade } from "./log-socket.ts";
import { joinPaths, throughProxy, wholeBody } from "./proxied-links.ts";
import { TextError } from "./remote-call.ts";
import { sendEvents, wantsWatchSocket, withoutOrigin } from "./watch-socket.ts";

export function connectOperation(
  context: RestContext,
  credentials: BackendCredentials,
): Operation | undefined {
  const { info } = context;
  if (info.apiGroup !== "") return undefined;
  if (info.resource === "pods" && info.subresource === "log" && info.verb === "get") {
    return (asked) => logs(asked, credentials);
  }
  if (info.subresource === "proxy" && ["pods", "services", "nodes"].includes(info.resource)) {
    return (asked) => proxy(asked, credentials);
  }
  if (isPodStream(info)) {
    return async (asked) => {
      await admitConnection(asked);
      await authorizeStream(asked);
      streamLocation(asked);
      throw badRequest("Upgrade request required");
    };
  }
  return undefined;
}

/** Admission sees the query as an object: what is to be done, and in which container. */
async function admitConnection(context: RestContext) {
  const { resource, info, user, request, server, warnings, annotate } = context;
  const attributes = {
    operation: "CONNECT" as const,
    resource: resource.info,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    user,
    dryRun: false,
    object: connectOptions(info, request.query),
    options: null,
    warn: (text: string) => void warnings.add(text),
    annotate,
  };
  await server.admission.admit(attributes);
  await server.admission.validate(attributes);
}

/** A WebSocket is a GET, but who may only read may not run commands. */
async function authorizeStream({ info, user, request, server }: RestContext): Promise<void> {
  if (!server.gates.isOn("AuthorizePodWebsocketUpgradeCreatePermission")) return;
  if (info.verb === "create") return;
  const attributes = authorizationOf({ ...info, verb: "create" }, user, request.query);
  const { decision, reason } = await server.authorizer.authorize(attributes);
  if (decision === "allow") return;
  throw forbidden({ group: info.apiGroup, resource: info.resource }, info.name, reason);
}

/**
 * What a pod, a Service or a node serves. A proxy without a path leads to the one with a slash, so
 * that relative links work.
 */
async function proxy(context: RestContext, credentials: BackendCredentials): Promise<ApiResponse> {
  const { info, request } = context;
  await admitConnection(context);
  const location = proxyLocation(context, credentials.allowsLoopback);
  const isRoot = info.parts.length === 3 && !request.path.endsWith("/");
  if (isRoot && ["GET", "HEAD"].includes(request.method)) {
    const query = request.query.size === 0 ? "" : `?${request.query}`;
    const headers = { location: `${request.path}/${query}` };
    return { status: 301, headers, body: new Uint8Array() };
  }
  const prefix = `/${request.path.split("/").slice(1, prefixSegments(info)).join("/")}`;
  const inner = location.path.split("?")[0]!;
  const headers = { ...request.headers, "x-forwarded-uri": joinPaths(prefix, inner) };
  const asked = { ...request, headers };
  const own = forLocation(context, credentials);
  const answer = await passOn(location, asked, own, serviceOutOfReach);
  const host = `${location.host}:${location.port}`;
  return throughProxy(answer, { prefix, host, askedHost: request.headers.host ?? "" });
}

/** "/api/v1/namespaces/n/pods/p/proxy" has eight of them, the empty one before the slash too. */
const prefixSegments = ({ resource }: RequestInfo): number => (resource === "nodes" ? 6 : 8);

/** Our certificate is for kubelets only. */
function forLocation(context: RestContext, credentials: BackendCredentials): BackendCredentials {
  return context.info.resource === "nodes" ? credentials : {};
}

/** In the words of Go's client. */
function notRead(location: Location, error: Error): StatusError {
  const { scheme, host, port, path } = location;
  const at = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const url = JSON.stringify(`${scheme}://${at}${path}`);
  return genericStatus(500, "", `Get ${url}: ${dialProblem(location, error)}`);
}

async function logs(context: RestContext, credentials: BackendCredentials): Promise<ApiResponse> {
  const { request } = context;
  const location = logLocation(context);
  if (location === undefined) {
    return { status: 200, headers: { "content-type": "text/plain" }, body: new Uint8Array() };
  }
  const { accept: _accept, ...headers } = request.headers;
  const answer = await passOn(location, { ...request, headers }, credentials, notRead);
  if (answer.status < 400) {
    return { ...answer, headers: { "content-type": "text/plain" } };
  }
  const text = new TextDecoder().decode(await wholeBody(answer)).trim();
  if (answer.status === 400 || answer.status === 404) throw badRequest(text);
  throw internalError(text === "" ? `the server answered ${answer.status}` : text);
}

export interface UpgradeDeps {
  aggregator: Aggregator;
  options: HandlerOptions;
  credentials: BackendCredentials;
}

/** An HTTP/1.1 upgrade: admitted and written down like any request, then passed through. */
export async function serveUpgrade(
  deps: UpgradeDeps,
  request: ApiRequest,
  connection: Upgrade,
): Promise<void> {
  if (wantsWatchSocket(request)) return serveWatchSocket(deps.options, request, connection);
  const course = openCourse();
  const { socket } = connection;
  const refused = countWhenOver(deps.options, request, course, socket);
  const onSwitched = (): void => {
    const ended = course.trail?.switched();
    if (ended !== undefined) socket.once("close", ended);
  };
  try {
    await passThrough(deps, request, course, { ...connection, onSwitched });
  } catch (error) {
    const answer = refusedUpgrade(deps.options, request, course, error);
    refused(answer.status);
    await course.trail?.answered(answer);
    refuse(socket, answer);
  }
}

/** Upstream's code of what became another protocol. */
const switchedCode = 0;

/** Counted when its connection is gone; what it was refused with is said before. */
function countWhenOver(
  { metrics, server }: HandlerOptions,
  request: ApiRequest,
  course: Course,
  socket: Duplex,
): (code: number) => void {
  const startedMs = server.clock.monotonic();
  let code = switchedCode;
  socket.once("close", () => {
    const { info, isAuthorized } = course;
    if (info === undefined || !isAuthorized) return;
    metrics.lasting(info, -1);
    const seconds = (server.clock.monotonic() - startedMs) / 1000;
    const contentType = request.headers["content-type"] ?? "";
    const how = { contentType, isDryRun: false, isOwn: false, sizeBytes: undefined };
    metrics.record({ info, code, seconds, waitedSeconds: 0, ...how });
  });
  return (refusal) => {
    code = refusal;
  };
}

/** A watch like any other, until its answer is written. */
async function serveWatchSocket(
  options: HandlerOptions,
  request: ApiRequest,
  connection: Upgrade,
): Promise<void> {
  if (request.headers.origin === undefined) return refuse(connection.socket, withoutOrigin());
  const answer = await createHandler(options)(request);
  if (typeof answer.body === "function") sendEvents(answer, connection);
  else refuse(connection.socket, answer);
}

async function passThrough(
  deps: UpgradeDeps,
  request: ApiRequest,
  course: Course,
  upgrade: Upgrade,
): Promise<void> {
  const admitted = await admitRequest(deps.options, request, course);
  deps.options.metrics.lasting(admitted.info, 1);
  const elsewhere = deps.aggregator.upgrade(request, admitted.user, upgrade);
  if (elsewhere !== undefined) return await elsewhere;
  const context = contextFor(deps.options, request, admitted);
  if (context.info.resource === "pods" && context.info.subresource === "log") {
    // The kubelet is asked for plain bytes.
    const plain = { ...context, request: { ...request, headers: {} } };
    return sendOverSocket(await logs(plain, deps.credentials), upgrade);
  }
  await admitConnection(context);
  if (isPodStream(context.info)) await authorizeStream(context);
  const location = upgradeLocation(context, deps.credentials);
  const kubelet = context.info.subresource !== "proxy" || context.info.resource === "nodes";
  const credentials = kubelet ? deps.credentials : {};
  await tunnel({ location, request, credentials, ...upgrade });
}

function contextFor(options: HandlerOptions, request: ApiRequest, admitted: Admitted): RestContext {
  const { info, user } = admitted;
  const { server } = options;
  const resource = server.lookup(info.apiGroup, info.apiVersion, info.resource);
  if (resource === undefined) throw badRequest("there is nothing to upgrade to here");
  const output = { format: "json", as: "", asVersion: "", pretty: false, stream: false } as const;
  return { request, info, resource, server, user, output, warnings: new Set() };
}

function upgradeLocation(context: RestContext, { allowsLoopback }: BackendCredentials): Location {
  const { info } = context;
  if (info.subresource === "proxy") return proxyLocation(context, allowsLoopback);
  if (isPodStream(info)) return streamLocation(context);
  throw badRequest("there is nothing to upgrade to here");
}

function refusedUpgrade(
  options: HandlerOptions,
  request: ApiRequest,
  course: Course,
  error: unknown,
): ApiResponse {
  const said =
    error instanceof TextError
      ? plainAnswer(503, `${error.message}\n`)
      : failed(options, { ...request, headers: {} }, error, course);
  const { trail } = course;
  const auditID = trail?.auditID ?? request.headers["audit-id"] ?? options.server.random.uuid();
  const own = { "audit-id": auditID, "cache-control": "no-cache, private", connection: "close" };
  return { ...said, headers: { ...own, ...said.headers } };
}

function plainAnswer(status: number, text: string): ApiResponse {
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return { status, headers, body: new TextEncoder().encode(text) };
}

/** The socket is not node's any more: the answer is written by hand, in one piece. */
function refuse(socket: Duplex, { status, headers, body }: ApiResponse): void {
  const bytes = typeof body === "function" ? new Uint8Array() : body;
  const lines = Object.entries({ ...headers, "content-length": String(bytes.length) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // In two pieces, a TLS socket was seen to send the second one first.
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}\r\n${head}\r\n`;
  socket.end(Buffer.concat([Buffer.from(text), bytes]));
}
