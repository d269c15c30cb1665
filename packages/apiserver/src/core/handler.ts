/**
 * The path of every request: who, what, may they, then the operation; a Status when it fails.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/server/config.go (DefaultBuildHandlerChain)
 */

import { kubernetesVersion } from "@nanokube/api";
import { badRequest, internalError, StatusError } from "@nanokube/machinery";
import type { Annotate } from "./admission/plugin.ts";
import {
  type Admitted,
  authorize,
  type Course,
  type DoorOptions,
  identify,
  openCourse,
  UnauditedError,
} from "./admit-request.ts";
import type { UserInfo } from "./authentication/authenticator.ts";
import { type FlowControl, isLongRunning, isReadOnly } from "./flow-control/flow-control.ts";
import { timeoutOf, withinTime } from "./request-deadline.ts";
import { isPodStream, parseRequestInfo, type RequestInfo } from "./request-info.ts";
import type { RequestMetrics } from "./request-metrics.ts";
import type { ApiRequest, ApiResponse, RestContext } from "./rest/context.ts";
import { noSuchResource, type OutsideOperations, operationFor } from "./rest/dispatch.ts";
import { methodNotAllowed } from "./rest/method-not-allowed.ts";
import { patchTypeOf } from "./rest/patch.ts";
import { respondWithError } from "./rest/respond.ts";
import { untilEnded } from "./rest/until-ended.ts";
import { systemUser } from "./system-user.ts";
import { type MediaType, negotiateOutput } from "./wire/negotiation.ts";
import { wantsPretty } from "./wire/pretty.ts";

export interface HandlerOptions extends DoorOptions {
  outside: OutsideOperations;
  /** Paths that are no resources: health, version, discovery; undefined when there is nothing. */
  serveOther(
    request: ApiRequest,
    info: RequestInfo,
    user: UserInfo,
  ): Promise<ApiResponse | undefined>;
  /** What another server answers for its group and version; undefined for those served here. */
  aggregated(request: ApiRequest, user: UserInfo): Promise<ApiResponse> | undefined;
  hasGroupVersion(group: string, version: string): boolean;
  flowControl: FlowControl;
  metrics: RequestMetrics;
}

const encoder = new TextEncoder();

export type Handler = (request: ApiRequest) => Promise<ApiResponse>;

export function createHandler(options: HandlerOptions): Handler {
  const { clock } = options.server;
  return async (request) => {
    const startedMs = clock.monotonic();
    const course = openCourse();
    let response: ApiResponse;
    try {
      const info = parseRequestInfo(request.method, request.path, request.query);
      course.info = info;
      const timeoutMs = timeoutOf(request, info, options.server.limits.requestTimeoutMs);
      response = await withinTime(clock, timeoutMs, () => handle(options, request, info, course));
    } catch (error) {
      response = failed(options, request, error, course);
    }
    Object.assign(response.headers, course.headers);
    const { warnings, trail } = course;
    response.headers["audit-id"] ??=
      trail?.auditID ?? request.headers["audit-id"] ?? options.server.random.uuid();
    response.headers["cache-control"] ??= "no-cache, private";
    if (warnings.size > 0) {
      const texts = [...warnings].filter(isSayable).map((text) => `299 - ${quoted(text)}`);
      if (texts.length > 0) response.headers.warning = texts.join(", ");
    }
    await trail?.answered(response);
    count(options, request, course, { response, startedMs });
    return response;
  };
}

/** Counted when it is over. */
function count(
  { metrics, server }: HandlerOptions,
  request: ApiRequest,
  course: Course,
  { response, startedMs }: { response: ApiResponse; startedMs: number },
): void {
  // Who was not let in asked for nothing.
  if (course.info === undefined || !course.isAuthorized) return;
  const { info, waitedSeconds = 0 } = course;
  const { body, list, status: code } = response;
  const contentType = request.headers["content-type"] ?? "";
  const record = (sizeBytes: number | undefined): void => {
    const seconds = (server.clock.monotonic() - startedMs) / 1000;
    const isDryRun = request.query.get("dryRun") === "All";
    const isOwn = request.user?.name === systemUser.name;
    const how = { contentType, isDryRun, isOwn, sizeBytes, waitedSeconds };
    metrics.record({ info, code, seconds, ...how });
  };
  if (typeof body !== "function") {
    const rest = list === undefined ? 0 : list.head.length + list.items.bytes.length;
    record(list === undefined ? body.length : rest + list.tail.length);
  } else if (!isLongRunning(info)) record(undefined);
  else {
    response.body = untilEnded(body, request.signal, (sentBytes) => {
      metrics.lasting(info, -1);
      record(sentBytes);
    });
  }
}

const reviewGroups = new Set(["authentication.k8s.io", "authorization.k8s.io"]);

/** The answer to what failed; the trail knows of it. */
export function failed(
  options: HandlerOptions,
  request: ApiRequest,
  error: unknown,
  course: Course,
): ApiResponse {
  if (error instanceof UnauditedError) return unaudited(options, request, course);
  noteFailure(options, request, course, error);
  let output: MediaType | undefined;
  try {
    output = negotiateOutput(request.headers.accept, false, { custom: false, convertible: false });
  } catch {
    output = undefined;
  }
  if (error instanceof StatusError) return respondWithError(error, output);
  options.server.log.error(
    {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      path: request.path,
    },
    "request failed",
  );
  return respondWithError(internalError(error), output);
}

/** What nobody meant to happen is written down as such; so is who was not let in. */
function noteFailure(
  options: HandlerOptions,
  request: ApiRequest,
  course: Course,
  error: unknown,
): void {
  if (!(error instanceof StatusError)) course.trail?.panicked(error);
  else if (!course.isAuthenticated && course.info !== undefined) {
    course.trail = options.audit?.refused(request, course.info);
  }
}

/** Upstream drops a warning with control characters, or that came from bytes that are no text. */
function isSayable(text: string): boolean {
  return !/[\p{Cc}\ufffd]/u.test(text) && text.isWellFormed();
}

/** A header is bytes: those of UTF-8, one character each. */
function quoted(text: string): string {
  const bytes = encoder.encode(text.replaceAll("\\", "\\\\").replaceAll('"', '\\"'));
  let quotedText = "";
  for (const byte of bytes) quotedText += String.fromCharCode(byte);
  return `"${quotedText}"`;
}

async function handle(
  options: HandlerOptions,
  request: ApiRequest,
  info: RequestInfo,
  course: Course,
): Promise<ApiResponse> {
  const user = await identify(options, request, info, course);
  const ticket = await options.flowControl.enter(info, user, request.query);
  if (ticket === undefined) return tooManyRequests();
  course.headers = ticket.headers;
  course.waitedSeconds = ticket.waitedSeconds;
  const kind = isReadOnly(info) ? "readOnly" : "mutating";
  const { inFlight } = options.metrics;
  const isLong = isLongRunning(info);
  if (!isLong) inFlight[kind]++;
  try {
    await authorize(options, request, { info, user }, course);
    const operation = () => operate(options, request, { info, user }, course);
    return isLong ? await lasting(options.metrics, info, operation) : await operation();
  } finally {
    ticket.leave();
    if (!isLong) inFlight[kind]--;
  }
}

/** It is among what lasts from here until it is answered, or until its answer has ended. */
async function lasting(
  metrics: RequestMetrics,
  info: RequestInfo,
  operation: () => Promise<ApiResponse>,
): Promise<ApiResponse> {
  metrics.lasting(info, 1);
  let goesOn = false;
  try {
    const response = await operation();
    goesOn = typeof response.body === "function";
    return response;
  } finally {
    if (!goesOn) metrics.lasting(info, -1);
  }
}

async function operate(
  options: HandlerOptions,
  request: ApiRequest,
  { info, user }: Admitted,
  { warnings, trail }: Course,
): Promise<ApiResponse> {
  if (info.badURL !== undefined) throw badRequest(info.badURL);
  const passed = options.aggregated(request, user);
  if (passed !== undefined) return passed;
  if (!info.isResourceRequest) {
    return (await options.serveOther(request, info, user)) ?? nothingAt(options, request.path);
  }
  const { server } = options;
  if (request.path.startsWith("//")) return plainNotFound();
  if (badEscape.test(request.path)) return badPath();
  const resource = server.lookup(info.apiGroup, info.apiVersion, info.resource);
  if (resource === undefined) {
    return nothingAt(options, request.path);
  }
  if (isMisplaced(resource, info)) {
    if (resource.custom !== undefined) return plainNotFound();
    throw noSuchResource();
  }
  // A proxy takes whatever the other side takes, and answers with what that has; so does an exec.
  const isProxied = info.subresource === "proxy";
  const isConnected = isProxied || isPodStream(info);
  const accept = isConnected ? undefined : request.headers.accept;
  const output = negotiateOutput(accept, wantsPretty(request), {
    custom: resource.custom !== undefined,
    convertible: true,
    watchable: info.verb === "list" || info.verb === "watch",
    watching: info.verb === "watch",
    tableless: reviewGroups.has(info.apiGroup),
  });
  const annotate = trail && ((...said: Parameters<Annotate>) => trail.annotate(...said));
  const context = { request, info, resource, server, user, output, warnings, annotate };
  if (request.method === "HEAD" && !isProxied) throw methodNotAllowed();
  const operation = operationFor(context, options.outside);
  if (info.verb === "patch" && !isProxied) patchTypeOf(context);
  if (info.parts.length > 1 && !isProxied) checkName(info.name);
  const deprecation = deprecationOf(resource);
  if (deprecation !== undefined) {
    warnings.add(deprecation);
    noteDeprecated(options, context);
  }
  return operation(context);
}

const badEscape = /%(?![0-9a-fA-F]{2})/;

/** What Go's HTTP server says before anybody sees the request. */
function badPath(): ApiResponse {
  const body = encoder.encode("400 Bad Request");
  return { status: 400, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}

/** A name that no path may hold is refused before anybody looks for it. */
function checkName(name: string): void {
  const isDots = name === "." || name === "..";
  if (!isDots && !name.includes("%")) return;
  const why = isDots ? `may not be '${name}'` : "may not contain '%'";
  throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${why}`);
}

const twoNamespaces = /\/namespaces\/[^/]+\/namespaces(?:\/|$)/;

/** A namespace where the kind has none, or none where it has one. */
function isMisplaced({ info: own, custom }: RestContext["resource"], info: RequestInfo): boolean {
  const isNamespaces = info.resource === "namespaces" && info.apiGroup === "";
  if (isNamespaces && twoNamespaces.test(info.path)) return true;
  if (!own.namespaced) return info.namespace !== "" && !isNamespaces;
  if (info.namespace !== "" || info.verb === "list" || info.verb === "watch") return false;
  return custom !== undefined || info.name !== "";
}

/**
 * Upstream answers with a Status where it has something of its own of the group, else with plain
 * text: groups of custom resources are looked at last.
 */
function nothingAt(options: HandlerOptions, path: string): ApiResponse {
  const [, root = "", group = ""] = path.split("/");
  // The handler of documents only sets the status.
  if (path.startsWith("/openapi/v3/")) return { status: 404, headers: {}, body: new Uint8Array() };
  const isServed = [...options.server.served()].some(
    ({ info, custom }) => info.group === group && custom === undefined,
  );
  const known = root === "api" || root === "version" || (root === "apis" && isServed);
  if (known) throw noSuchResource();
  return plainNotFound();
}

/** What upstream names in place of a version that it wants to be rid of. */
const replacements: Readonly<Record<string, string>> = {
  endpoints: "discovery.k8s.io/v1 EndpointSlice",
  volumeattributesclasses: "storage.k8s.io/v1 VolumeAttributesClass",
};

const [, thisMinor] = /^v1[.](\d+)/.exec(kubernetesVersion) ?? [];
const isLater = (release: string): boolean => Number(release.split(".")[1]) > Number(thisMinor);

/** Whoever still uses it is counted, and found in the audit. */
function noteDeprecated({ metrics }: HandlerOptions, context: RestContext): void {
  const { info, annotate } = context;
  const { removed = "" } = context.resource.info;
  metrics.deprecated(info, removed);
  annotate?.("k8s.io/deprecated", "true");
  if (removed !== "") annotate?.("k8s.io/removed-release", removed);
}

function deprecationOf({ info, apiVersion }: RestContext["resource"]): string | undefined {
  if (info.deprecated === undefined || isLater(info.deprecated)) return undefined;
  const removed = info.removed === undefined ? "" : `, unavailable in v${info.removed}+`;
  const instead = replacements[info.plural];
  const use = instead === undefined ? "" : `; use ${instead}`;
  return `${apiVersion} ${info.kind} is deprecated in v${info.deprecated}+${removed}${use}`;
}

function unaudited(
  { audit }: HandlerOptions,
  { path, query }: ApiRequest,
  course: Course,
): ApiResponse {
  if (audit !== undefined) audit.counts.rejected++;
  course.trail = undefined;
  const uri = query.size === 0 ? path : `${path}?${query}`;
  return textAnswer(
    500,
    `Internal Server Error: ${JSON.stringify(uri)}: failed to store audit event`,
  );
}

function tooManyRequests(): ApiResponse {
  const answer = textAnswer(429, "Too many requests, please try again later.");
  answer.headers["retry-after"] = "1";
  return answer;
}

export function plainNotFound(): ApiResponse {
  return textAnswer(404, "404 page not found");
}

/** As Go's http.Error. */
function textAnswer(status: number, text: string): ApiResponse {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
    body: encoder.encode(`${text}\n`),
  };
}
