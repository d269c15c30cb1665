/**
 * HTTP/1.1 with kept connections: for plain http and for servers that offer no HTTP/2.
 */
import * as http from "node:http";
import * as https from "node:https";
import type { ConnectionOptions } from "node:tls";
import type { HttpResponse } from "../core/http.ts";
import type { Wire, WireRequest } from "./http-transport.ts";
import { hostOf, portOf } from "./tls-options.ts";

export function createHttp1Transport(url: URL, tls: ConnectionOptions | undefined): Wire {
  const agent =
    tls === undefined
      ? new http.Agent({ keepAlive: true })
      : new https.Agent({ keepAlive: true, ...tls });
  const send = tls === undefined ? http.request : https.request;

  const once = (sent: WireRequest) =>
    new Promise<HttpResponse>((resolve, reject) => {
      const request = send(
        {
          agent,
          host: hostOf(url),
          port: portOf(url),
          method: sent.method,
          path: sent.path,
          headers: {
            ...sent.headers,
            ...(sent.body === undefined ? {} : { "content-length": String(sent.body.length) }),
          },
          ...(sent.signal === undefined ? {} : { signal: sent.signal }),
        },
        (answer) => {
          resolve({
            status: answer.statusCode ?? 0,
            headers: flat(answer.headers),
            body: answer as AsyncIterable<Uint8Array>,
          });
        },
      );
      request.once("error", (error: NodeJS.ErrnoException) => {
        // A kept connection may be closed by the server in the very moment it is used again.
        const raced = request.reusedSocket && error.code === "ECONNRESET";
        reject(raced ? Object.assign(error, { reusedSocket: true }) : error);
      });
      request.end(sent.body);
    });

  return {
    request: async (sent) => {
      try {
        return await once(sent);
      } catch (error) {
        if (!(error as { reusedSocket?: boolean }).reusedSocket) throw error;
        return once(sent);
      }
    },
    close: () => agent.destroy(),
  };
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return out;
}
