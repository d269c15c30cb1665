/**
 * What is written down of one request, stage by stage.
 *
 * Shapes  audit.k8s.io/v1 Event; times in microseconds; objects as they were sent and answered
 * Source  apiserver pkg/audit/request.go, pkg/endpoints/filters/audit.go
 */
import type { Clock, KubeObject, Random } from "@nanokube/machinery";
import type { UserInfo } from "../authentication/authenticator.ts";
import { isLongRunning } from "../flow-control/flow-control.ts";
import type { RequestInfo } from "../request-info.ts";
import type { ApiRequest, ApiResponse } from "../rest/context.ts";
import { type AuditDecision, type AuditPolicy, type AuditStage, decideAudit } from "./policy.ts";

export type AuditSink = (event: KubeObject) => void;

export interface AuditOptions {
  policy: AuditPolicy;
  sinks: readonly AuditSink[];
  clock: Clock;
  random: Random;
}

export interface AuditTrail {
  readonly auditID: string;
  impersonated(user: UserInfo): void;
  /** With a level, only where that much of requests is written down. */
  annotate(key: string, value: string, level?: "Request"): void;
  /** The answer is known; of one that lasts, that it has begun. */
  answered(response: ApiResponse): Promise<void>;
}

export class Auditor {
  readonly #options: AuditOptions;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** Undefined when nothing of the request is to be written down. */
  begin(request: ApiRequest, info: RequestInfo, user: UserInfo): AuditTrail | undefined {
    const decision = decideAudit(this.#options.policy, user, info);
    if (decision.level === "None") return undefined;
    return new Trail(this.#options, decision, request, info, user);
  }
}

class Trail implements AuditTrail {
  readonly auditID: string;
  readonly #options: AuditOptions;
  readonly #decision: AuditDecision;
  readonly #request: ApiRequest;
  readonly #event: KubeObject;
  readonly #isLong: boolean;
  readonly #annotations: Record<string, string> = {};

  constructor(
    options: AuditOptions,
    decision: AuditDecision,
    request: ApiRequest,
    info: RequestInfo,
    user: UserInfo,
  ) {
    this.#options = options;
    this.#decision = decision;
    this.#request = request;
    this.#isLong = isLongRunning(info);
    this.auditID = request.headers["audit-id"] ?? options.random.uuid();
    const query = request.query.toString();
    const userAgent = request.headers["user-agent"];
    const objectRef = objectRefOf(info);
    this.#event = {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: decision.level,
      auditID: this.auditID,
      stage: "RequestReceived",
      requestURI: query === "" ? request.path : `${request.path}?${query}`,
      verb: info.verb,
      user: userOf(user),
      sourceIPs: request.sourceIP === undefined ? [] : [request.sourceIP],
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(objectRef === undefined ? {} : { objectRef }),
      requestReceivedTimestamp: this.#now(),
    };
    this.#write("RequestReceived", {});
  }

  impersonated(user: UserInfo): void {
    this.#event.impersonatedUser = userOf(user);
  }

  annotate(key: string, value: string, level?: "Request"): void {
    if (level !== undefined && this.#decision.level === "Metadata") return;
    this.#annotations[key] ??= value;
  }

  async answered(response: ApiResponse): Promise<void> {
    const responseStatus = { metadata: {}, ...statusOf(response) };
    const { level } = this.#decision;
    const sent = this.#wasRead(response) ? await this.#sent() : undefined;
    this.#name(sent);
    const tells = level === "Request" || level === "RequestResponse";
    const requestObject = sent === undefined || !tells ? {} : { requestObject: sent };
    if (this.#isLong && typeof response.body === "function") {
      this.#write("ResponseStarted", { responseStatus, ...requestObject });
      response.body = ended(response.body, () =>
        this.#write("ResponseComplete", { responseStatus, ...requestObject }),
      );
      return;
    }
    const body = level === "RequestResponse" ? this.#readable(response) : undefined;
    const responseObject = body === undefined ? {} : { responseObject: body };
    this.#write("ResponseComplete", { responseStatus, ...requestObject, ...responseObject });
  }

  #write(stage: AuditStage, more: object): void {
    if (this.#decision.omitStages.has(stage)) return;
    const annotations =
      Object.keys(this.#annotations).length === 0 ? {} : { annotations: this.#annotations };
    const event = { ...this.#event, stage, ...more, stageTimestamp: this.#now(), ...annotations };
    for (const sink of this.#options.sinks) sink(event);
  }

  /** Who may not, or comes when there is too much, has sent an object for nothing. */
  #wasRead({ status }: ApiResponse): boolean {
    return status !== 401 && status !== 403 && status !== 429;
  }

  /** The object that was sent may have a name where the URL has none. */
  #name(sent: unknown): void {
    const { objectRef } = this.#event as { objectRef?: Record<string, string> };
    const { name } = (sent as KubeObject | undefined)?.metadata ?? {};
    if (objectRef !== undefined && name) objectRef["name"] ??= name;
  }

  async #sent(): Promise<unknown> {
    const bytes = await this.#request.body().catch(() => new Uint8Array());
    return bytes.length === 0 ? undefined : this.#parse(bytes);
  }

  #readable({ body, list }: ApiResponse): unknown {
    if (list !== undefined) return undefined;
    return typeof body === "function" ? undefined : this.#parse(body);
  }

  #parse(bytes: Uint8Array): unknown {
    try {
      const tree = JSON.parse(new TextDecoder().decode(bytes)) as KubeObject;
      if (!this.#decision.omitManagedFields || tree.metadata === undefined) return tree;
      const { managedFields: _dropped, ...metadata } = tree.metadata;
      return { ...tree, metadata };
    } catch {
      return undefined;
    }
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString().replace("Z", "000Z");
  }
}

function ended(stream: ApiResponse["body"], done: () => void): ApiResponse["body"] {
  if (typeof stream !== "function") return stream;
  return (sink) =>
    stream({
      write: (chunk) => sink.write(chunk),
      get pendingBytes() {
        return sink.pendingBytes;
      },
      end: () => {
        done();
        sink.end();
      },
      destroy: () => {
        done();
        sink.destroy();
      },
    });
}

function userOf({ name, uid, groups, extra }: UserInfo): object {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    groups: [...groups],
    ...(extra === undefined ? {} : { extra }),
  };
}

function objectRefOf(info: RequestInfo): object | undefined {
  if (!info.isResourceRequest) return undefined;
  const { resource, namespace, name, apiGroup, apiVersion, subresource } = info;
  const ref: Record<string, string> = {};
  for (const [key, value] of Object.entries({
    resource,
    namespace,
    name,
    apiGroup,
    apiVersion,
    subresource,
  })) {
    if (value !== "") ref[key] = value;
  }
  return ref;
}

/** The code, and of an answer that is a Status what it says. */
function statusOf({ status: code, body, list }: ApiResponse): object {
  if (list !== undefined || typeof body === "function") return { code };
  const head = new TextDecoder().decode(body.subarray(0, statusLead.length));
  if (head !== statusLead) return { code };
  const { status, message, reason, details } = JSON.parse(new TextDecoder().decode(body));
  return { status, message, reason, details, code };
}

const statusLead = '{"kind":"Status"';
