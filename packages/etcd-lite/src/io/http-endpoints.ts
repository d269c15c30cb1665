/**
 * The HTTP side of the client URL: /health, /livez, /readyz, /version, /metrics, and the JSON
 * gateway under /v3/.
 *
 * Health is asked for as clients ask: by a read that takes their way. A disk that cannot be written
 * any more is no alarm in etcd's sense; here it fails /health and /readyz all the same.
 * Source  etcd v3.6 server/etcdserver/api/etcdhttp/{health,version,metrics}.go, embed/serve.go
 */
import {
  type Channel,
  etcd,
  type Handlers,
  type HttpHandler,
  type PlainRequest,
  type PlainResponse,
  type ServerCall,
} from "@nanokube/rpc";
import { corruptAlarm, noSpaceAlarm } from "../core/member-state.ts";
import { diskFailure, isLearner } from "./consensus-facts.ts";
import { debugVars } from "./debug-vars.ts";
import { rootCall } from "./identify.ts";
import { answerGateway } from "./json-gateway.ts";
import type { Member } from "./member.ts";
import { metricsText } from "./metrics-text.ts";
import { serverVersion } from "./version.ts";

export interface HttpParts {
  readonly member: Member;
  readonly kv: Handlers<typeof etcd.KV>;
  /** To the member's own services, for the gateway; absent where it is not wanted. */
  readonly channel: Channel | undefined;
  readonly access: HttpAccess;
}

export interface HttpAccess {
  /** Pages of these origins may ask; absent, or "*" among them: of all. */
  readonly origins?: readonly string[] | undefined;
  /** Names under which the server may be asked without TLS; absent, or "*" among them: any. */
  readonly hosts?: readonly string[] | undefined;
}

const plainType = {
  "content-type": "text/plain; charset=utf-8",
  "x-content-type-options": "nosniff",
};

const corsHeaders = {
  "access-control-allow-headers": "accept, content-type, authorization",
  "access-control-allow-methods": "POST, GET, OPTIONS, PUT, DELETE",
};

export function createHttpHandler(parts: () => HttpParts): HttpHandler {
  return async (request) => {
    const { access } = parts();
    if (!isHostAllowed(access, request)) return misdirected(request);
    const response = await answer(parts(), request);
    return { ...response, headers: { ...originHeaders(access, request), ...response.headers } };
  };
}

/** For --listen-metrics-urls. */
export function onlyMetrics(handler: HttpHandler): HttpHandler {
  return (request) => {
    const { pathname } = new URL(request.path, "http://etcd");
    return /^\/(metrics|health|livez|readyz)(\/|$)/.test(pathname) ? handler(request) : notFound;
  };
}

function originHeaders({ origins }: HttpAccess, { headers }: PlainRequest): Record<string, string> {
  const origin = headers["origin"];
  const isAny = origins === undefined || origins.includes("*");
  const allowed = isAny ? "*" : origins.find((one) => one === origin);
  if (allowed === undefined) return {};
  return { ...corsHeaders, "access-control-allow-origin": allowed };
}

/** A page that had its own name point here must not get at what is served without TLS. */
function isHostAllowed({ hosts }: HttpAccess, request: PlainRequest): boolean {
  if (hosts === undefined || hosts.includes("*") || request.isSecure) return true;
  return hosts.includes(hostOf(request));
}

function hostOf({ headers }: PlainRequest): string {
  const host = String(headers["host"] ?? headers[":authority"] ?? "");
  return host.replace(/:\d+$/, "");
}

function misdirected(request: PlainRequest): PlainResponse {
  const body = `
etcd received your request, but the Host header was unrecognized.

To fix this, choose one of the following options:
- Enable TLS, then any HTTPS request will be allowed.
- Add the hostname you want to use to the whitelist in settings.
  - e.g. etcd --host-whitelist "${hostOf(request)}"

This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).

`;
  return { status: 421, headers: plainType, body };
}

async function answer(parts: HttpParts, request: PlainRequest): Promise<PlainResponse> {
  const url = new URL(request.path, "http://etcd");
  if (request.method === "OPTIONS") return { status: 200, body: "" };
  if (/^\/v3(beta)?\//.test(url.pathname) && parts.channel !== undefined) {
    return answerByGateway({ ...parts, channel: parts.channel }, url.pathname, request);
  }
  if (url.pathname === "/metrics") return metrics(parts.member);
  const route = routes[url.pathname] ?? checkRoute(url.pathname);
  if (route === undefined) return notFound;
  if (request.method !== "GET") {
    return { status: 405, headers: { ...plainType, allow: "GET" }, body: "Method Not Allowed\n" };
  }
  return route(parts, url.searchParams);
}

const ignoredName =
  "CommonName of client sending a request against gateway will be ignored and not used as expected";

function answerByGateway(
  { member, channel }: HttpParts & { channel: Channel },
  path: string,
  request: PlainRequest,
): PlainResponse | Promise<PlainResponse> {
  const isNamed = member.clientCertAuth && request.peerCommonName !== undefined;
  if (isNamed && member.state.auth.enabled) {
    return { status: 400, headers: plainType, body: `${ignoredName}\n` };
  }
  return answerGateway(channel, path, request);
}

const notFound: PlainResponse = { status: 404, headers: plainType, body: "404 page not found\n" };

type Route = (parts: HttpParts, query: URLSearchParams) => PlainResponse | Promise<PlainResponse>;

const routes: Readonly<Record<string, Route>> = {
  "/version": ({ member }) => ({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      etcdserver: serverVersion,
      etcdcluster: member.state.cluster.version,
      storage: member.state.cluster.version,
    }),
  }),
  "/debug/vars": ({ member }) => ({
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: debugVars(member),
  }),
  "/health": async (parts, query) => {
    const excluded = new Set(query.getAll("exclude"));
    const reason = await unhealthyReason(parts, excluded, query.get("serializable") === "true");
    const body = JSON.stringify({ health: String(reason === ""), reason });
    parts.member.metrics.count(reason === "" ? "healthSuccess" : "healthFailures");
    if (reason !== "") return { status: 503, headers: plainType, body: `${body}\n` };
    return { status: 200, headers: { "content-type": plainType["content-type"] }, body };
  },
};

function metrics(member: Member): PlainResponse {
  const type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
  return { status: 200, headers: { "content-type": type }, body: metricsText(member) };
}

async function unhealthyReason(
  parts: HttpParts,
  excluded: ReadonlySet<string>,
  isSerializable: boolean,
): Promise<string> {
  const { member } = parts;
  const failure = diskFailure(member);
  if (failure !== undefined) return `DISK: ${failure.message}`;
  for (const { alarm } of member.state.alarms) {
    const name = alarmNames[alarm];
    if (name === undefined) return "ALARM UNKNOWN";
    if (!excluded.has(name)) return `ALARM ${name}`;
  }
  const error = await readError(parts, isSerializable);
  return error === undefined ? "" : `RANGE ERROR:${error}`;
}

const alarmNames: Readonly<Record<number, string>> = {
  [noSpaceAlarm]: "NOSPACE",
  [corruptAlarm]: "CORRUPT",
};

const healthTimeoutMs = 7000;

/** Why a read fails, if it does: linearizable ones need a majority. */
async function readError(
  { member, kv }: HttpParts,
  isSerializable: boolean,
): Promise<string | undefined> {
  const key = Buffer.from("\0");
  const request = etcd.RangeRequest.fill({ key, limit: 1, serializable: isSerializable });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = member.clock.setTimeout(() => reject(new Error("timed out")), healthTimeoutMs);
  try {
    await Promise.race([kv.range!(request, rootCall as ServerCall), late]);
    return undefined;
  } catch (error) {
    const { details, message } = error as Error & { details?: string };
    return details ?? message;
  } finally {
    member.clock.clearTimeout(timer);
  }
}

type Check = (parts: HttpParts) => string | undefined | Promise<string | undefined>;

const serializableRead: Check = (parts) => readError(parts, true);

const checks: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  livez: { serializable_read: serializableRead },
  readyz: {
    data_corruption: ({ member }) =>
      member.state.hasAlarm(corruptAlarm) ? "alarm activated: CORRUPT" : undefined,
    serializable_read: serializableRead,
    linearizable_read: (parts) => diskFailure(parts.member)?.message ?? readError(parts, false),
    non_learner: ({ member }) => (isLearner(member) ? "not supported for learner" : undefined),
  },
};

/** `/readyz` is all of its checks, `/readyz/data_corruption` is one. */
function checkRoute(path: string): Route | undefined {
  const [, kind = "", name, ...more] = path.split("/");
  const all = checks[kind];
  if (all === undefined || more.length > 0) return undefined;
  if (name !== undefined && all[name] === undefined) return undefined;
  return (parts, query) => {
    const excluded = new Set(query.getAll("exclude"));
    const names = Object.keys(all).filter((one) =>
      name === undefined ? !excluded.has(one) : one === name,
    );
    return runChecks(parts, { kind, names, isVerbose: query.has("verbose") });
  };
}

interface ChecksToRun {
  readonly kind: string;
  readonly names: readonly string[];
  readonly isVerbose: boolean;
}

async function runChecks(parts: HttpParts, { kind, names, isVerbose }: ChecksToRun) {
  let report = "";
  let isHealthy = true;
  for (const name of names) {
    const fault = await checks[kind]![name]!(parts);
    parts.member.metrics.checked(kind, name, fault === undefined);
    report += fault === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${fault}\n`;
    if (fault !== undefined) isHealthy = false;
  }
  if (!isHealthy) return { status: 503, headers: plainType, body: `${report}\n` };
  return { status: 200, headers: plainType, body: `${isVerbose ? report : ""}ok\n` };
}
