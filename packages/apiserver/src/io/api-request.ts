/** What a transport read of a request, as the pipeline takes it. */
import type { IncomingHttpHeaders } from "node:http";
import type { ApiRequest } from "../core/rest/context.ts";
import type { Peer } from "./peer.ts";

export function toRequest(
  method: string,
  url: string,
  headers: IncomingHttpHeaders | Readonly<Record<string, string>>,
  rest: {
    body: () => Promise<Uint8Array>;
    signal: () => AbortSignal;
    peer: Peer | undefined;
    values?: (name: string) => readonly string[];
  },
): ApiRequest {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const request: ApiRequest = {
    method,
    path,
    query: new URLSearchParams(mark < 0 ? "" : wellFormed(url.slice(mark + 1))),
    headers: flatten(headers),
    body: rest.body,
    get signal() {
      return rest.signal();
    },
  };
  if (rest.values !== undefined) request.headerValues = rest.values;
  if (rest.peer?.certificate !== undefined) request.peerCertificate = rest.peer.certificate;
  if (rest.peer?.address !== undefined) request.sourceIP = rest.peer.address;
  return request;
}

const malformed = /;|%(?![0-9a-fA-F]{2})/;

/** Go drops a pair that holds a semicolon or what only looks like an escape. */
function wellFormed(query: string): string {
  if (!malformed.test(query)) return query;
  return query
    .split("&")
    .filter((pair) => !malformed.test(pair))
    .join("&");
}

function flatten(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name.startsWith(":")) continue;
    flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}
