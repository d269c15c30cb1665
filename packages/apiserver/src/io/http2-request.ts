/**
 * One request on an HTTP/2 stream: its body gathered, its answer sent.
 *
 * What a watch is given in one turn of the event loop leaves as one write: the connection gathers
 * frames until the turn ends.
 *
 * Units   a body holds at most 3 MiB; no more than the stream's window (1 MiB) is taken in before
 *         somebody asks for it
 */
import type { Socket } from "node:net";
import type { Http2Stream, OpenStream, RequestHead, StreamSink } from "@nanokube/rpc/http2";
import { http2Error } from "@nanokube/rpc/http2";
import type { ApiRequest, ApiResponse, Sink } from "../core/rest/context.ts";
import { toRequest } from "./api-request.ts";
import { bodyTooLarge } from "./body.ts";
import type { Peer } from "./peer.ts";

type Answer = (request: ApiRequest) => Promise<ApiResponse>;

/** How requests on one connection begin. */
export function openRequest(peer: Peer, answer: Answer): OpenStream {
  return (stream: Http2Stream, head: RequestHead, _socket: Socket) => {
    const incoming = new IncomingRequest(stream);
    const { method, path, headers } = head;
    const request = toRequest(method, path, headers, {
      body: () => incoming.body(),
      signal: () => incoming.signal,
      peer,
      values: (name) => head.repeated?.[name] ?? (name in headers ? [headers[name]!] : []),
    });
    answer(request).then(
      (response) => respond(stream, method, response),
      () => stream.reset(http2Error.internal),
    );
    return incoming;
  };
}

class IncomingRequest implements StreamSink {
  readonly #stream: Http2Stream;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ungranted = 0;
  #isWanted = false;
  #state: "open" | "whole" | "closed" = "open";
  #read: PromiseWithResolvers<Uint8Array> | undefined;
  #abort: AbortController | undefined;

  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }

  /** Most requests never ask whether the caller has left: only those that do pay for a signal. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#state === "closed") this.#abort.abort();
    return this.#abort.signal;
  }

  body(): Promise<Uint8Array> {
    if (this.#read !== undefined) return this.#read.promise;
    this.#isWanted = true;
    this.#read = Promise.withResolvers();
    if (this.#bytes > bodyTooLarge.bytesMax) this.#read.reject(bodyTooLarge.error());
    else if (this.#state === "whole") this.#read.resolve(this.#whole());
    else if (this.#state === "closed") this.#read.reject(cutOff());
    else this.#grant();
    return this.#read.promise;
  }

  data(bytes: Buffer): void {
    this.#bytes += bytes.length;
    this.#ungranted += bytes.length;
    if (this.#bytes > bodyTooLarge.bytesMax) {
      this.#chunks = [];
      this.#read?.reject(bodyTooLarge.error());
    } else this.#chunks.push(bytes);
    if (this.#isWanted) this.#grant();
  }

  end(): void {
    this.#state = "whole";
    this.#read?.resolve(this.#whole());
  }

  closed(): void {
    this.#state = "closed";
    this.#read?.reject(cutOff());
    this.#abort?.abort();
  }

  caughtUp(): void {}

  #whole(): Uint8Array {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  #grant(): void {
    const count = this.#ungranted;
    this.#ungranted = 0;
    if (count > 0) this.#stream.consumed(count);
  }
}

const cutOff = (): Error => new Error("the connection was closed before the body ended");

/** Values that most answers share, so that the connection's header table knows them. */
const often = new Set([
  "cache-control",
  "content-type",
  "content-encoding",
  "vary",
  "x-content-type-options",
  "x-kubernetes-pf-flowschema-uid",
  "x-kubernetes-pf-prioritylevel-uid",
]);

function respond(stream: Http2Stream, method: string, response: ApiResponse): void {
  if (stream.isClosed) return;
  const { status, headers, body } = response;
  const isStream = typeof body === "function";
  const shared: [string, string][] = [[":status", String(status)]];
  const own: [string, string][] = [["date", dateText()]];
  for (const name in headers) (often.has(name) ? shared : own).push([name, headers[name]!]);
  if (!isStream) own.push(["content-length", String(body.length)]);
  const block = stream.owner.blocks.answer(shared, own);
  const isEnd = !isStream && (method === "HEAD" || body.length === 0);
  stream.headers(block, isEnd);
  if (isEnd) return;
  if (isStream) body(streamSink(stream));
  else stream.wholeBody(body);
}

/** The time for `date`, made once a second. */
let dated = { second: 0, text: "" };
function dateText(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dated.second) dated = { second, text: new Date(second * 1000).toUTCString() };
  return dated.text;
}

function streamSink(stream: Http2Stream): Sink {
  return {
    write(chunk) {
      stream.data(chunk, 0, chunk.length, true);
    },
    get pendingBytes() {
      return stream.waitingBytes;
    },
    end: () => stream.endData(),
    destroy: () => stream.reset(http2Error.cancel),
  };
}
