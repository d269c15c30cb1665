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
import { untilEnded } from "../rest/until-ended.ts";
import type { AuditBackend } from "./backend.ts";
import {
  type AuditDecision,
  type AuditLevel,
  type AuditPolicy,
  type AuditStage,
  decideAudit,
} from "./policy.ts";

export interface AuditOptions {
  policy: AuditPolicy;
  backend: AuditBackend;
  clock: Clock;
  random: Random;
}

/** How much was written down: counters of /metrics. */
export interface AuditCounts {
  events: number;
  /** Requests whose event was refused, so that they failed. */
  rejected: number;
  levels: Map<AuditLevel, number>;
  /** Events lost, by what lost them. */
  errors: Map<string, number>;
}

export function emptyAuditCounts(): AuditCounts {
  return { events: 0, rejected: 0, levels: new Map(), errors: new Map() };
}

export interface AuditTrail {
  readonly auditID: string;
  /** False: the request is not to go on. */
  readonly received: boolean | Promise<boolean>;
  /** With the verb that allowed it, where acting so is constrained to something. */
  impersonated(user: UserInfo, constraint: string): void;
  /** With a level, only where that much of requests is written down. */
  annotate(key: string, value: string, level?: "Request"): void;
  /** The answer is known; of one that lasts, that it has begun. */
  answered(response: ApiResponse): Promise<void>;
  /** The connection became something else; the other is called when it is over. */
  switched(): () => void;
  /** The operation ended in a way that nobody meant. */
  panicked(error: unknown): void;
}

const nobody: UserInfo = { name: "", groups: [] };

export class Auditor {
  readonly #options: AuditOptions;
  readonly counts: AuditCounts;

  constructor(options: AuditOptions, counts = emptyAuditCounts()) {
    this.#options = options;
    this.counts = counts;
  }

  /** Undefined when nothing of the request is to be written down. */
  begin(request: ApiRequest, info: RequestInfo, user: UserInfo): AuditTrail | undefined {
    const trail = this.#open(request, info, user);
    trail?.begin();
    return trail;
  }

  /** Of a request that nobody is known to have sent: that it was answered is all there is. */
  refused(request: ApiRequest, info: RequestInfo): AuditTrail | undefined {
    return this.#open(request, info, undefined);
  }

  close(): Promise<void> {
    return this.#options.backend.close();
  }

  #open(request: ApiRequest, info: RequestInfo, user: UserInfo | undefined): Trail | undefined {
    const decision = decideAudit(this.#options.policy, user ?? nobody, info);
    const { levels } = this.counts;
    levels.set(decision.level, (levels.get(decision.level) ?? 0) + 1);
    if (decision.level === "None") return undefined;
    const { counts } = this;
    return new Trail({ ...this.#options, counts }, decision, { request, info, user });
  }
}

interface Asked {
  request: ApiRequest;
  info: RequestInfo;
  user: UserInfo | undefined;
}

class Trail implements AuditTrail {
  readonly auditID: string;
  received: boolean | Promise<boolean> = true;
  readonly #options: AuditOptions & { counts: AuditCounts };
  readonly #decision: AuditDecision;
  readonly #request: ApiRequest;
  readonly #event: KubeObject;
  readonly #isLong: boolean;
  readonly #isRefused: boolean;
  #isOver = false;
  readonly #annotations: Record<string, string> = {};

  constructor(
    options: AuditOptions & { counts: AuditCounts },
    decision: AuditDecision,
    { request, info, user }: Asked,
  ) {
    this.#options = options;
    this.#decision = decision;
    this.#request = request;
    this.#isLong = isLongRunning(info);
    this.#isRefused = user === undefined;
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
      user: user === undefined ? {} : userOf(user),
      sourceIPs: request.sourceIP === undefined ? [] : [request.sourceIP],
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(objectRef === undefined ? {} : { objectRef }),
      requestReceivedTimestamp: this.#now(),
    };
  }

  begin(): void {
    this.received = this.#write("RequestReceived", {});
  }

  impersonated(user: UserInfo, constraint: string): void {
    this.#event.impersonatedUser = userOf(user);
    if (constraint === "") return;
    this.#event.authenticationMetadata = { impersonationConstraint: constraint };
  }

  annotate(key: string, value: string, level?: "Request"): void {
    if (level !== undefined && this.#decision.level === "Metadata") return;
    this.#annotations[key] ??= value;
  }

  async answered(response: ApiResponse): Promise<void> {
    if (this.#isOver) return;
    const responseStatus = { metadata: {}, ...statusOf(response) };
    const { level } = this.#decision;
    const sent = this.#wasRead(response) && !this.#isRefused ? await this.#sent() : undefined;
    this.#name(sent);
    const tells = level === "Request" || level === "RequestResponse";
    const requestObject = sent === undefined || !tells ? {} : { requestObject: sent };
    if (typeof response.body === "function" && this.#isLong) {
      await this.#write("ResponseStarted", { responseStatus, ...requestObject });
      response.body = untilEnded(response.body, this.#request.signal, () => {
        void this.#write("ResponseComplete", { responseStatus, ...requestObject });
      });
      return;
    }
    const body = level === "RequestResponse" ? this.#readable(response) : undefined;
    const responseObject = body === undefined ? {} : { responseObject: body };
    const told = { responseStatus, ...requestObject, ...responseObject };
    if (this.#isLong || this.#isRefused) await this.#write("ResponseStarted", told);
    if (!this.#isRefused) await this.#write("ResponseComplete", told);
  }

  switched(): () => void {
    const responseStatus = { metadata: {}, code: 101 };
    void this.#write("ResponseStarted", { responseStatus });
    return () => void this.#write("ResponseComplete", { responseStatus });
  }

  panicked(error: unknown): void {
    this.#isOver = true;
    const message = `APIServer panic'd: ${error instanceof Error ? error.message : String(error)}`;
    const status = { metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 };
    void this.#write("Panic", { responseStatus: status });
  }

  #write(stage: AuditStage, more: object): boolean | Promise<boolean> {
    if (this.#decision.omitStages.has(stage)) return true;
    const annotations =
      Object.keys(this.#annotations).length === 0 ? {} : { annotations: { ...this.#annotations } };
    const event = { ...this.#event, stage, ...more, stageTimestamp: this.#now(), ...annotations };
    this.#options.counts.events++;
    return this.#options.backend.process([event]);
  }

  /** Who may not, or comes when there is too much, has sent an object for nothing. */
  #wasRead({ status }: ApiResponse): boolean {
    return status !== 401 && status !== 403 && status !== 429;
  }

  /** The object that was sent may have a name where the URL has none. */
  #name(sent: unknown): void {
    const { objectRef } = this.#event as { objectRef?: Record<string, string> };
    const { name } = (sent as KubeObject | undefined)?.metadata ?? {};
    // Events that were written before keep theirs.
    if (objectRef !== undefined && name) this.#event.objectRef = { name, ...objectRef };
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
