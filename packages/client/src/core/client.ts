/**
 * The REST client: paths, bodies and errors over an injected transport.
 *
 * Errors  StatusError for every answer of 400 and above; what the transport throws when
 *         there was none
 * Retry   an answer 429 or 5xx with Retry-After is waited for and tried again, ten times at most
 * Source  client-go rest/request.go, rest/with_retry.go
 */
import { type Clock, sleep, systemClock } from "@nanokube/machinery";
import { discardBody, type HttpResponse, type HttpTransport, readBody } from "./http.ts";
import { createResourceClient, type ResourceClient } from "./resource-client.ts";
import { type Query, queryString } from "./resource-path.ts";
import type { ApiObject, ResourceRef } from "./resource-ref.ts";
import { responseError } from "./response-error.ts";

export interface ClientRequest {
  method: string;
  /** Without the query. */
  path: string;
  query?: Query | undefined;
  /** A plain object is sent as JSON; text and bytes as they are. */
  body?: unknown;
  contentType?: string | undefined;
  accept?: string | undefined;
  headers?: Record<string, string> | undefined;
  signal?: AbortSignal | undefined;
}

export interface Client {
  readonly transport: HttpTransport;
  resource<T extends ApiObject = ApiObject>(ref: ResourceRef<T>): ResourceClient<T>;
  /** Sends, throws for 400 and above, gives the answer unread. */
  request(request: ClientRequest): Promise<HttpResponse>;
  /** Sends and parses the answer as JSON. */
  requestJSON<T>(request: ClientRequest): Promise<T>;
  /** Sends and gives the answer as text: logs, health, metrics. */
  requestText(request: ClientRequest): Promise<string>;
}

export interface ClientOptions {
  transport: HttpTransport;
  userAgent?: string | undefined;
  clock?: Clock | undefined;
}

const retriesMax = 10;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function createClient(options: ClientOptions): Client {
  const { transport, userAgent = "nanokube", clock = systemClock } = options;

  async function request(sent: ClientRequest): Promise<HttpResponse> {
    const headers: Record<string, string> = {
      accept: sent.accept ?? "application/json",
      "user-agent": userAgent,
      ...sent.headers,
    };
    const body = encodeBody(sent.body);
    if (body !== undefined) headers["content-type"] = sent.contentType ?? "application/json";
    const path = sent.path + queryString(sent.query ?? {});
    for (let attempt = 0; ; attempt++) {
      const response = await transport({
        method: sent.method,
        path,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(sent.signal === undefined ? {} : { signal: sent.signal }),
      });
      if (response.status < 400) return response;
      const retryAfter = response.headers["retry-after"];
      const waitMs = retryAfterMs(response.status, retryAfter);
      if (waitMs === undefined || attempt >= retriesMax) {
        const text = decoder.decode(await readBody(response.body));
        throw responseError(response.status, text, retryAfter);
      }
      await discardBody(response.body);
      await sleep(clock, waitMs, sent.signal);
    }
  }

  async function requestText(sent: ClientRequest): Promise<string> {
    const response = await request(sent);
    return decoder.decode(await readBody(response.body));
  }

  const client: Client = {
    transport,
    request,
    requestText,
    requestJSON: async <T>(sent: ClientRequest) => JSON.parse(await requestText(sent)) as T,
    resource: (ref) => createResourceClient(client, ref),
  };
  return client;
}

function encodeBody(body: unknown): Uint8Array | undefined {
  if (body === undefined) return undefined;
  if (body instanceof Uint8Array) return body;
  return encoder.encode(typeof body === "string" ? body : JSON.stringify(body));
}

/** How long the server asks to wait; undefined is "don't try again". */
function retryAfterMs(status: number, header: string | undefined): number | undefined {
  if (header === undefined || (status !== 429 && status < 500)) return undefined;
  const seconds = Number.parseInt(header, 10);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
