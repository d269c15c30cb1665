/**
 * Answers /openapi/v2, /openapi/v3 and /openapi/v3/NAME, in JSON and in gnostic's protobuf.
 *
 * A document is built when it is first asked for, and its bytes are kept until what it is made
 * from changes. The index of v3 needs the hash of every document: it is made one document a turn of
 * the event loop, about 100 ms in all, once.
 *
 * Shapes  ETag            SHA-512 of the document's JSON, upper-case hex
 *         ?hash=…         the document of just that hash: may be cached for ever; another hash is
 *                         sent on to the right one (301)
 * Errors  406 when the client takes neither JSON nor protobuf; undefined for a path that is unknown
 * Source  k8s.io/kube-openapi pkg/handler/handler.go, pkg/handler3/handler.go
 */
import { notAcceptable } from "@nanokube/machinery";
import { type ForeignDocument, mergeOpenAPI } from "../aggregation/merge-openapi.ts";
import type { ApiRequest, ApiResponse } from "../rest/context.ts";
import { encodeV2, encodeV3 } from "./gnostic.ts";
import { buildOpenAPI, type OpenAPI, type OpenAPIOptions, openAPIv3Index } from "./openapi.ts";

/** What other servers add. */
export interface ForeignOpenAPIs {
  links(): Readonly<Record<string, { serverRelativeURL: string }>>;
  v2(): readonly ForeignDocument[];
  /** A document of v3 as its own server sends it. */
  serve(name: string, request: ApiRequest): Promise<ApiResponse> | undefined;
}

export interface OpenAPIServerOptions {
  foreign?(): ForeignOpenAPIs | undefined;
  /** What is served now; asked again when `generation` has grown. */
  resources(): OpenAPIOptions;
  generation(): number;
  /** Upper-case hex. */
  sha512(bytes: Uint8Array): string;
  /** Lets others have the event loop. */
  yieldTurn(): Promise<void>;
}

interface Kept {
  readonly sources: readonly object[];
  readonly json: Uint8Array;
  readonly hash: string;
  proto?: Uint8Array;
}

const encoder = new TextEncoder();
const json = "application/json";

function protoType(version: "v2" | "v3"): string {
  return `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf`;
}

/** The first of what the client takes that there is; clients still write "v3@v1.0". */
function chooseType(accept: string | undefined, version: "v2" | "v3"): string {
  const proto = protoType(version);
  for (const clause of (accept ?? "*/*").split(",")) {
    const type = (clause.split(";")[0] ?? "").trim().replace(`${version}@v1.0`, `${version}.v1.0`);
    if (type === proto) return proto;
    if (type === json || type === "application/*" || type === "*/*") return json;
  }
  throw notAcceptable([json, proto]);
}

class Documents {
  readonly #kept = new Map<string, Kept>();
  readonly #options: OpenAPIServerOptions;
  #api: OpenAPI | undefined;
  #builtAt = -1;

  constructor(options: OpenAPIServerOptions) {
    this.#options = options;
  }

  api(): OpenAPI {
    const generation = this.#options.generation();
    if (this.#api === undefined || generation !== this.#builtAt) {
      this.#api = buildOpenAPI(this.#options.resources());
      this.#builtAt = generation;
      const names = new Set(this.#api.names());
      for (const name of this.#kept.keys()) if (!names.has(name)) this.#kept.delete(name);
    }
    return this.#api;
  }

  /** `name` of a v3 document, or "" for v2. */
  document(name: string): Kept | undefined {
    const api = this.api();
    const every = () => [
      ...api.names().flatMap((each) => api.sources(each)),
      ...(this.#options.foreign?.()?.v2() ?? []),
    ];
    const sources = name === "" ? every() : api.sources(name);
    const before = this.#kept.get(name);
    if (before !== undefined && sameObjects(before.sources, sources)) return before;
    const tree = name === "" ? this.#v2(api) : api.v3(name);
    if (tree === undefined) return undefined;
    const bytes = encoder.encode(JSON.stringify(tree));
    const kept = { sources, json: bytes, hash: this.#options.sha512(bytes) };
    this.#kept.set(name, kept);
    return kept;
  }

  #v2(api: OpenAPI): ReturnType<OpenAPI["v2"]> {
    return mergeOpenAPI(api.v2(), this.#options.foreign?.()?.v2() ?? []);
  }

  proto(name: string, kept: Kept): Uint8Array {
    const api = this.api();
    kept.proto ??= name === "" ? encodeV2(this.#v2(api)) : encodeV3(api.v3(name)!);
    return kept.proto;
  }
}

function sameObjects(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function send(request: ApiRequest, documents: Documents, name: string): ApiResponse | undefined {
  const type = chooseType(request.headers.accept, name === "" ? "v2" : "v3");
  const kept = documents.document(name);
  if (kept === undefined) return undefined;
  const etag = `"${kept.hash}"`;
  const headers: Record<string, string> = { "content-type": type, etag, vary: "Accept" };
  const empty = new Uint8Array();
  const asked = name === "" ? null : request.query.get("hash");
  if (asked !== null && asked !== kept.hash) {
    headers.location = `/openapi/v3/${name}?hash=${kept.hash}`;
    return { status: 301, headers, body: empty };
  }
  if (asked !== null) headers["cache-control"] = "public, immutable";
  if (request.headers["if-none-match"] === etag) return { status: 304, headers, body: empty };
  const body = type === json ? kept.json : documents.proto(name, kept);
  return { status: 200, headers, body };
}

export function createOpenAPIServer(
  options: OpenAPIServerOptions,
): (request: ApiRequest) => Promise<ApiResponse | undefined> {
  const documents = new Documents(options);

  async function index(): Promise<ApiResponse> {
    const api = documents.api();
    for (const name of api.names()) {
      documents.document(name);
      await options.yieldTurn();
    }
    const now = documents.api(); // A CRD may have come or gone since: what it changed is made now.
    const tree = openAPIv3Index(now, (name) => documents.document(name)!.hash);
    const links = { ...options.foreign?.()?.links(), ...(tree["paths"] as object) };
    tree["paths"] = Object.fromEntries(Object.entries(links).sort(([a], [b]) => (a < b ? -1 : 1)));
    // It is JSON, but this is the type that upstream gives it.
    const headers = { "content-type": "text/plain; charset=utf-8" };
    return { status: 200, headers, body: encoder.encode(JSON.stringify(tree)) };
  }

  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") return undefined;
    if (request.path === "/openapi/v2") return send(request, documents, "");
    if (request.path === "/openapi/v3") return index();
    const name = /^\/openapi\/v3\/(.+?)\/?$/.exec(request.path)?.[1];
    if (name === undefined) return undefined;
    return send(request, documents, name) ?? options.foreign?.()?.serve(name, request);
  };
}
