/**
 * Who is asking, and may they? By client certificate or token, and by the API server's word.
 *
 * Units   an allowed answer is kept 5 minutes, a refused one 30 seconds, a token's user 2 minutes
 * Source  pkg/kubelet/server/auth.go, cmd/kubelet/app/auth.go
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { TokenReview } from "@nanokube/api/authentication/v1";
import type { SubjectAccessReview } from "@nanokube/api/authorization/v1";
import type { Client } from "@nanokube/client";
import type { Clock } from "@nanokube/machinery";

export interface User {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

const ALLOWED_MS = 300_000;
const DENIED_MS = 30_000;
const TOKEN_MS = 120_000;
const CACHE_MAX = 1000;

interface Kept<T> {
  value: T;
  untilMs: number;
}

class Memory<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): T | undefined {
    const found = this.#kept.get(key);
    return found !== undefined && this.#clock.now() < found.untilMs ? found.value : undefined;
  }

  set(key: string, value: T, forMs: number): void {
    if (this.#kept.size >= CACHE_MAX) this.#kept.clear();
    this.#kept.set(key, { value, untilMs: this.#clock.now() + forMs });
  }
}

const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** The node's subresources that stand for a path; the last is asked when the first is refused. */
export function subresourcesOf(path: string): string[] {
  const under = (prefix: string) => path === prefix || path.startsWith(`${prefix}/`);
  if (under("/stats")) return ["stats"];
  if (under("/metrics")) return ["metrics"];
  if (under("/logs")) return ["log"];
  if (under("/checkpoint")) return ["checkpoint"];
  if (under("/pods") || under("/runningpods")) return ["pods", "proxy"];
  if (under("/healthz")) return ["healthz", "proxy"];
  if (under("/configz")) return ["configz", "proxy"];
  return ["proxy"];
}

export interface AuthOptions {
  client: Client;
  clock: Clock;
  nodeName: string;
  webhook: boolean;
  anonymous: boolean;
}

export class RequestAuthority {
  readonly #options: AuthOptions;
  readonly #tokens: Memory<User | "unknown">;
  readonly #answers: Memory<boolean>;

  constructor(options: AuthOptions) {
    this.#options = options;
    this.#tokens = new Memory(options.clock);
    this.#answers = new Memory(options.clock);
  }

  #certificateUser(request: IncomingMessage): User | undefined {
    const socket = request.socket as TLSSocket;
    if (socket.authorized !== true) return undefined;
    const subject = socket.getPeerCertificate().subject;
    if (subject?.CN === undefined) return undefined;
    const groups = subject.O === undefined ? [] : [subject.O].flat();
    const name = [subject.CN].flat()[0]!;
    return { name, groups: [...groups, "system:authenticated"] };
  }

  async #tokenUser(token: string): Promise<User | undefined> {
    const key = createHash("sha256").update(token).digest("hex");
    const kept = this.#tokens.get(key);
    if (kept !== undefined) return kept === "unknown" ? undefined : kept;
    const review = await this.#options.client
      .resource<TokenReview>({
        group: "authentication.k8s.io",
        version: "v1",
        plural: "tokenreviews",
        namespaced: false,
        kind: "TokenReview",
      })
      .create({ spec: { token } } as TokenReview);
    const user = review.status?.user;
    if (review.status?.authenticated !== true || user?.username === undefined) {
      this.#tokens.set(key, "unknown", DENIED_MS);
      return undefined;
    }
    const found: User = {
      name: user.username,
      groups: [...(user.groups ?? [])],
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.extra === undefined ? {} : { extra: user.extra as Record<string, string[]> }),
    };
    this.#tokens.set(key, found, TOKEN_MS);
    return found;
  }

  /** undefined: nobody we know. */
  async authenticate(request: IncomingMessage): Promise<User | undefined> {
    const byCertificate = this.#certificateUser(request);
    if (byCertificate !== undefined) return byCertificate;
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (bearer !== undefined && this.#options.webhook) return this.#tokenUser(bearer);
    if (!this.#options.anonymous) return undefined;
    return { name: "system:anonymous", groups: ["system:unauthenticated"] };
  }

  async #ask(user: User, verb: string, subresource: string): Promise<boolean> {
    const { client, nodeName } = this.#options;
    const key = JSON.stringify([user, verb, subresource]);
    const kept = this.#answers.get(key);
    if (kept !== undefined) return kept;
    const resourceAttributes = {
      group: "",
      version: "v1",
      verb,
      resource: "nodes",
      subresource,
      name: nodeName,
    };
    const { name, ...rest } = user;
    const review = await client
      .resource<SubjectAccessReview>({
        group: "authorization.k8s.io",
        version: "v1",
        plural: "subjectaccessreviews",
        namespaced: false,
        kind: "SubjectAccessReview",
      })
      .create({ spec: { user: name, ...rest, resourceAttributes } } as SubjectAccessReview);
    const allowed = review.status?.allowed === true;
    this.#answers.set(key, allowed, allowed ? ALLOWED_MS : DENIED_MS);
    return allowed;
  }

  /** undefined: go on. Else what to answer with 403. */
  async refuse(user: User, method: string, path: string): Promise<string | undefined> {
    if (!this.#options.webhook) return undefined;
    const verb = VERBS[method] ?? "";
    const asked = subresourcesOf(path);
    for (const subresource of asked) {
      if (await this.#ask(user, verb, subresource)) return undefined;
    }
    const resources = `[${asked.map((name) => `nodes/${name}`).join(" ")}]`;
    return `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=${resources.replaceAll("nodes/", "")})`;
  }
}
