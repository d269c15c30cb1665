/**
 * Who asks, and may they? What is learned on the way is kept for the answer, the audit and the
 * counters.
 *
 * Source  apiserver pkg/endpoints/filters/{authentication,impersonation,audit,authorization}.go
 */
import { unauthorized } from "@nanokube/machinery";
import type { AccessMetrics } from "./access-metrics.ts";
import type { Auditor, AuditTrail } from "./audit/trail.ts";
import type {
  Authentication,
  Authenticator,
  Remarks,
  UserInfo,
} from "./authentication/authenticator.ts";
import type { Impersonator } from "./authentication/impersonation/impersonator.ts";
import { forbiddenError } from "./authorization/create-authorizer.ts";
import { parseRequestInfo, type RequestInfo } from "./request-info.ts";
import type { ApiRequest, RestServer } from "./rest/context.ts";
import { authorizationOf } from "./wire/authorization-attributes.ts";

export interface DoorOptions {
  server: RestServer;
  authenticator: Authenticator;
  impersonator: Impersonator;
  access: AccessMetrics;
  /** Absent: nothing is written down. */
  audit?: Auditor | undefined;
}

/** A request that may go on: everything is decided but the operation itself. */
export interface Admitted {
  info: RequestInfo;
  user: UserInfo;
}

/** What a request gathers on its way, for the headers of its answer and for the audit. */
export interface Course {
  warnings: Set<string>;
  headers: Readonly<Record<string, string>>;
  trail?: AuditTrail | undefined;
  info?: RequestInfo;
  isAuthenticated?: boolean;
  isAuthorized?: boolean;
  /** For a seat. */
  waitedSeconds?: number;
}

export function openCourse(): Course {
  return { warnings: new Set(), headers: {} };
}

/** Authenticates and authorizes a connection that wants to become something else. */
export async function admitRequest(
  options: DoorOptions,
  request: ApiRequest,
  course: Course,
): Promise<Admitted> {
  const info = parseRequestInfo(request.method, request.path, request.query);
  course.info = info;
  const user = await identify(options, request, info, course);
  await authorize(options, request, { info, user }, course);
  return { info, user };
}

/** Who acts here; what they do is written down from now on. */
export async function identify(
  options: DoorOptions,
  request: ApiRequest,
  info: RequestInfo,
  course: Course,
): Promise<UserInfo> {
  const { user: authenticated, remarks } = await authenticate(options, request);
  course.isAuthenticated = true;
  const trail = options.audit?.begin(request, info, authenticated);
  course.trail = trail;
  if (remarks !== undefined) note(remarks, course);
  if (trail !== undefined && !(await trail.received)) throw new UnauditedError();
  const attributes = () => authorizationOf(info, authenticated, request.query);
  const impersonated = await options.impersonator.impersonate(request, attributes);
  if (impersonated === undefined) return authenticated;
  trail?.impersonated(impersonated.user, impersonated.constraint);
  return impersonated.user;
}

function note({ warnings, annotations }: Remarks, { warnings: said, trail }: Course): void {
  for (const text of warnings) said.add(text);
  for (const [key, value] of Object.entries(annotations)) trail?.annotate(key, value);
}

/** In mode "blocking-strict" nothing happens that cannot be written down. */
export class UnauditedError extends Error {}

export async function authorize(
  { server, access }: DoorOptions,
  request: ApiRequest,
  { info, user }: Admitted,
  course: Course,
): Promise<void> {
  const attributes = authorizationOf(info, user, request.query);
  const { trail } = course;
  const startedMs = server.clock.monotonic();
  const { decision, reason } = await server.authorizer.authorize(attributes);
  access.authorized(decision, (server.clock.monotonic() - startedMs) / 1000);
  trail?.annotate("authorization.k8s.io/decision", decision === "allow" ? "allow" : "forbid");
  trail?.annotate("authorization.k8s.io/reason", reason);
  if (decision !== "allow") throw forbiddenError(attributes, reason);
  course.isAuthorized = true;
}

async function authenticate(
  { authenticator, access, server }: DoorOptions,
  request: ApiRequest,
): Promise<Authentication> {
  if (request.user !== undefined) return { user: request.user };
  const startedMs = server.clock.monotonic();
  let found: Authentication | undefined;
  try {
    found = await authenticator.authenticate({
      headers: request.headers,
      path: request.path,
      ...(request.headerValues === undefined ? {} : { headerValues: request.headerValues }),
      ...(request.peerCertificate === undefined
        ? {}
        : { peerCertificate: request.peerCertificate }),
    });
  } finally {
    access.authenticated(found?.user, (server.clock.monotonic() - startedMs) / 1000);
  }
  if (found === undefined) throw unauthorized("Unauthorized");
  return found;
}
