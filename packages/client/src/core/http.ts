/**
 * The one seam between everything in this package and a wire.
 *
 * A transport takes a request and answers with a status, headers and a body that arrives in chunks.
 * Over a socket it is `io/http-transport.ts`; the API server gives one of the same type that never
 * leaves the process.
 *
 * Shapes  path     with the query, already escaped: "/api/v1/pods?limit=500"
 *         headers  lower-case names
 *         body     of a response: to be read to its end, or left by `break`, which gives
 *                  the connection back
 * Errors  a transport throws only when no answer came (refused, reset, aborted); a 404 is an answer
 */
export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Uint8Array;
  signal?: AbortSignal;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
}

export type HttpTransport = (request: HttpRequest) => Promise<HttpResponse>;

/** A body, whole. */
export async function readBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
  }
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** The answer is not wanted: frees what carries it, without reading it. */
export async function discardBody(body: AsyncIterable<Uint8Array>): Promise<void> {
  const iterator = body[Symbol.asyncIterator]();
  if (iterator.return !== undefined) await iterator.return();
}
