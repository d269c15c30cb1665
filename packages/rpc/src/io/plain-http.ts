/**
 * Plain HTTP beside gRPC: one small handler, answered over HTTP/1.1 and HTTP/2 alike.
 *
 * Limits  a request body is read up to 4 MiB
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";

export interface PlainRequest {
  readonly method: string;
  /** Path with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  body(): Promise<Buffer>;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export type HttpHandler = (request: PlainRequest) => PlainResponse | Promise<PlainResponse>;

const bodyMaxBytes = 4 << 20;

export function serveHttp1(handler: HttpHandler) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await answerOf(handler, {
      method: request.method ?? "GET",
      path: request.url ?? "/",
      headers: request.headers,
      body: () => readBody(request),
    });
    response.writeHead(answer.status, answer.headers);
    response.end(request.method === "HEAD" ? undefined : answer.body);
  };
}

export async function serveHttp2(
  handler: HttpHandler,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  stream.on("error", () => {});
  const answer = await answerOf(handler, {
    method: headers[":method"] ?? "GET",
    path: headers[":path"] ?? "/",
    headers,
    body: () => readBody(stream),
  });
  if (stream.destroyed) return;
  stream.respond({ ":status": answer.status, ...answer.headers });
  stream.end(headers[":method"] === "HEAD" ? undefined : answer.body);
  stream.resume();
}

async function answerOf(handler: HttpHandler, request: PlainRequest): Promise<PlainResponse> {
  try {
    return await handler(request);
  } catch (error) {
    return { status: 500, body: `${(error as Error).message}\n` };
  }
}

async function readBody(source: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += (chunk as Buffer).length;
    if (size > bodyMaxBytes) throw new Error("http: request body too large");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
