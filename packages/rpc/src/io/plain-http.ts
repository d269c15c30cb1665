/**
 * Plain HTTP beside gRPC: one small handler, answered over HTTP/1.1 and HTTP/2 alike.
 *
 * Limits  a request body is read up to 4 MiB
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PassThrough, type Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Http2Stream, StreamSink } from "../core/http2-stream.ts";
import type { RequestHead } from "../core/request-head.ts";

export interface PlainRequest {
  readonly method: string;
  /** Path with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  body(): Promise<Buffer>;
  /** The body as it comes, in place of `body`: for who answers before it has ended. */
  chunks(): AsyncIterable<Buffer>;
  /** Aborted when the peer goes away before it has its answer. */
  readonly signal: AbortSignal;
  /** Common name of the client's verified certificate, when it showed one. */
  readonly peerCommonName?: string | undefined;
  /** It came over TLS. */
  readonly isSecure?: boolean | undefined;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whole, or piece by piece as it comes to be. */
  readonly body: string | Uint8Array | AsyncIterable<string | Uint8Array>;
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
      chunks: () => request,
      signal: abortOn(response),
      peerCommonName: commonNameOf(request.socket as TLSSocket),
      isSecure: (request.socket as TLSSocket).encrypted === true,
    });
    response.writeHead(answer.status, answer.headers);
    if (request.method === "HEAD") response.end();
    else if (isWhole(answer.body)) response.end(answer.body);
    else await sendPieces(answer.body, response);
  };
}

type Whole = string | Uint8Array;

function isWhole(body: PlainResponse["body"]): body is Whole {
  return typeof body === "string" || body instanceof Uint8Array;
}

function abortOn(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  response.on("close", () => abort.abort());
  return abort.signal;
}

function commonNameOf(socket: TLSSocket): string | undefined {
  if (socket.authorized !== true) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}

async function sendPieces(pieces: AsyncIterable<Whole>, response: ServerResponse): Promise<void> {
  response.flushHeaders();
  try {
    for await (const piece of pieces) {
      if (response.destroyed) break;
      if (response.write(piece)) continue;
      await new Promise<void>((resolve) => {
        response.once("drain", resolve);
        response.once("close", resolve);
      });
    }
    response.end();
  } catch {
    // The answer began: that it was cut off is all that can be told now.
    response.destroy();
  }
}

/** The sink of one plain request on an HTTP/2 stream. */
export function serveStream(
  handler: HttpHandler,
  stream: Http2Stream,
  { method, path, headers }: RequestHead,
  socket: Socket,
): StreamSink {
  const body = new PassThrough();
  const abort = new AbortController();
  const run = async () => {
    const answer = await answerOf(handler, {
      method,
      path,
      headers,
      body: () => readBody(body),
      chunks: () => body,
      signal: abort.signal,
      peerCommonName: commonNameOf(socket as TLSSocket),
      isSecure: (socket as TLSSocket).encrypted === true,
    });
    const fields = Object.entries(answer.headers ?? {}).map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    const { blocks } = stream.owner;
    const block = blocks.fields([[":status", String(answer.status)], ...fields]);
    if (!isWhole(answer.body)) {
      stream.headers(block, method === "HEAD");
      if (method !== "HEAD") await streamPieces(answer.body, stream);
      return;
    }
    const bytes = method === "HEAD" ? Buffer.alloc(0) : Buffer.from(answer.body);
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
    closed() {
      body.on("error", () => {}); // Whoever reads it is told; nobody has to.
      body.destroy(new Error("http: the request was cut off"));
      abort.abort();
    },
    caughtUp() {},
  };
}

async function streamPieces(pieces: AsyncIterable<Whole>, stream: Http2Stream): Promise<void> {
  for await (const piece of pieces) {
    if (stream.isClosed) return;
    const bytes = Buffer.from(piece);
    stream.data(bytes, 0, bytes.length);
  }
  stream.endData();
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
