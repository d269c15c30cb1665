/**
 * A watch over a WebSocket, as fabric8's client asks for: each event is a message, text when it is
 * JSON, binary and without its length in front when it is protobuf.
 *
 * Errors  403 without an Origin, as upstream's library answers; what a plain watch is refused with
 * Source  apiserver pkg/endpoints/handlers/watch.go (HandleWS), golang.org/x/net/websocket
 */
import { WebSocketServer } from "ws";
import type { ApiRequest, ApiResponse } from "../core/rest/context.ts";
import type { Upgrade } from "./log-socket.ts";

const lineEnd = 10;
const lengthBytes = 4;
/** The code of an end that is none of a failure. */
const over = 1000;

const server = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  handleProtocols: (offered) => [...offered][0] ?? false,
});

export function wantsWatchSocket({ query, path, headers }: ApiRequest): boolean {
  if (headers.upgrade?.toLowerCase() !== "websocket") return false;
  const watched = query.get("watch");
  return watched === "1" || watched === "true" || /^\/apis?\/.*\/watch\//.test(path);
}

/** Who names no origin may be a page of anybody's. */
export const withoutOrigin = (): ApiResponse => ({
  status: 403,
  headers: {},
  body: new Uint8Array(),
});

export function sendEvents({ headers, body }: ApiResponse, upgrade: Upgrade): void {
  const { raw, socket, head, onSwitched } = upgrade;
  const isText = !headers["content-type"]?.includes("protobuf");
  const next = isText ? lineOf : frameOf;
  server.handleUpgrade(raw, socket, head, (client) => {
    onSwitched?.();
    client.on("error", () => client.terminate());
    let rest: Uint8Array = new Uint8Array();
    const write = (chunk: Uint8Array): void => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let found = next(rest); found !== undefined; found = next(rest)) {
        client.send(found.message, { binary: !isText });
        rest = found.rest;
      }
    };
    if (typeof body !== "function") return client.close(over);
    body({
      write,
      get pendingBytes() {
        return client.bufferedAmount;
      },
      end: () => client.close(over),
      destroy: () => client.terminate(),
    });
  });
}

interface Found {
  message: Uint8Array;
  rest: Uint8Array;
}

/** Its end belongs to it, as in upstream's messages. */
function lineOf(bytes: Uint8Array): Found | undefined {
  const end = bytes.indexOf(lineEnd) + 1;
  if (end === 0) return undefined;
  return { message: bytes.subarray(0, end), rest: bytes.subarray(end) };
}

function frameOf(bytes: Uint8Array): Found | undefined {
  if (bytes.length < lengthBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = lengthBytes + view.getUint32(0);
  if (bytes.length < end) return undefined;
  return { message: bytes.subarray(lengthBytes, end), rest: bytes.subarray(end) };
}
