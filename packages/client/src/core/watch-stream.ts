/**
 * A watch's body: one JSON object a line, cut anywhere by the transport.
 *
 * Shapes  {"type":"ADDED","object":{…}}\n
 * Errors  an ERROR event ends the stream by a throw: its object is a Status
 * Source  apimachinery runtime/serializer/streaming; apiserver endpoints/handlers/watch.go
 */

import type { Status } from "@nanokube/api/meta/v1";
import { StatusError } from "@nanokube/machinery";
import type { ApiObject } from "./resource-ref.ts";

export interface WatchEvent<T extends ApiObject = ApiObject> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

/** The lines of a chunked text. Keeps the unfinished last line until its rest comes. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Pieces of an unfinished line are joined once, so that a huge object in many chunks
  // stays linear.
  let pieces: string[] = [];
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      pieces.push(text.slice(start, end));
      const line = pieces.length === 1 ? pieces[0]! : pieces.join("");
      pieces = [];
      start = end + 1;
      if (line !== "") yield line;
    }
    if (start < text.length) pieces.push(text.slice(start));
  }
  const rest = pieces.join("");
  if (rest !== "") yield rest;
}

export async function* watchEvents<T extends ApiObject>(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(body)) {
    const event = JSON.parse(line) as { type: string; object: unknown };
    if (event.type === "ERROR") throw new StatusError(event.object as Status);
    yield event as WatchEvent<T>;
  }
}
