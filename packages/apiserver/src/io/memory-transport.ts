/**
 * The API without a socket: the same handler, for components in the same process.
 *
 * A stream's chunks are handed over as they are; a reader that falls behind holds them in a queue,
 * whose size the handler sees like a socket's.
 */
import type { HttpRequest, HttpResponse, HttpTransport } from "@nanokube/client";
import type { UserInfo } from "../core/authentication/authenticator.ts";
import type { Handler } from "../core/handler.ts";
import type { Sink, Stream } from "../core/rest/context.ts";
import { toRequest } from "./api-request.ts";
import { compressAnswer } from "./compress-answer.ts";

export function createMemoryTransport(handler: Handler, user: UserInfo): HttpTransport {
  return async (request: HttpRequest): Promise<HttpResponse> => {
    const abort = new AbortController();
    const signal = request.signal ? AbortSignal.any([request.signal, abort.signal]) : abort.signal;
    const api = toRequest(request.method, request.path, lowerCase(request.headers), {
      body: async () => request.body ?? new Uint8Array(),
      signal: () => signal,
      peer: undefined,
    });
    api.user = user;
    const answer = await handler(api);
    const isZipped = api.headers["accept-encoding"] !== undefined;
    const { status, headers, body } = isZipped ? await compressAnswer(api, answer) : answer;
    return {
      status,
      headers,
      body: typeof body === "function" ? streamed(body, signal, abort) : once(body),
    };
  };
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = value;
  return lower;
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}

/** The stream starts when somebody reads, and stops when they stop. */
async function* streamed(
  stream: Stream,
  signal: AbortSignal,
  abort: AbortController,
): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let pendingBytes = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  const sink: Sink = {
    write(chunk) {
      chunks.push(chunk);
      pendingBytes += chunk.length;
      wake();
    },
    get pendingBytes() {
      return pendingBytes;
    },
    end() {
      ended = true;
      wake();
    },
    destroy() {
      failure = new Error("the server ended the stream");
      wake();
    },
  };
  const onAbort = (): void => {
    failure ??= new Error("aborted");
    wake();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  stream(sink);
  try {
    for (;;) {
      if (failure !== undefined) throw failure;
      if (chunks.length > 0) {
        const batch = chunks;
        chunks = [];
        pendingBytes = 0;
        for (const chunk of batch) yield chunk;
        continue;
      }
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    abort.abort();
  }
}
