/**
 * Plain HTTP beside gRPC: one small handler, answered over HTTP/1.1 and HTTP/2 alike.
 *
 * Limits  a request body is read up to 4 MiB
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough, type Readable } from "node:stream";
import type { Http2Stream, StreamSink } from "../core/http2-stream.ts";
import type { RequestHead } from "../core/request-head.ts";

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

/** The sink of one plain request on an HTTP/2 stream. */
export function serveStream(
  handler: HttpHandler,
  stream: Http2Stream,
  { method, path, headers }: RequestHead,
): StreamSink {
  const body = new PassThrough();
  const run = async () => {
    const answer = await answerOf(handler, {
      method,
      path,
      headers,
      body: () => readBody(body),
    });
    const fields = Object.entries(answer.headers ?? {}).map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    const bytes = method === "HEAD" ? Buffer.alloc(0) : Buffer.from(answer.body);
    const { blocks } = stream.owner;
    const block = blocks.fields([[":status", String(answer.status)], ...fields]);
    stream.headers(block, bytes.length === 0);
    if (bytes.length === 0) return;
    stream.data(bytes, 0, bytes.length);
    stream.endData();
  };
  run();
  return {
    data(bytes) {
      body.write(bytes);
      stream.consumed(bytes.length);
    },
    end: () => void body.end(),
    closed: () => void body.destroy(new Error("http: the request was cut off")),
    caughtUp() {},
  };
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
