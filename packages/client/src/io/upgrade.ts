/**
 * WebSocket upgrades: exec, attach, port-forward.
 *
 * Shapes  protocols  in the order of preference: "v5.channel.k8s.io", "v4.channel.k8s.io"; the
 *                    socket's `protocol` is the server's choice. Each message of a channel protocol
 *                    begins with one byte that numbers its channel: 0 stdin, 1 stdout, 2 stderr, 3
 *                    error (a Status), 4 resize, 255 close (v5 only)
 * Errors  "error" on the socket; a refusal (403, 404 …) comes as a StatusError
 * Source  client-go transport/websocket, tools/remotecommand/websocket.go
 */
import { systemClock } from "@nanokube/machinery";
import WebSocket from "ws";
import { responseError } from "../core/response-error.ts";
import { authHeaders, headerValueSeparator, type RestConfig } from "../core/rest-config.ts";
import { tlsOptions, tokenSource } from "./tls-options.ts";

export function openUpgrade(
  config: RestConfig,
  path: string,
  protocols: readonly string[],
): WebSocket {
  const url = new URL(config.server);
  const scheme = url.protocol === "https:" ? "wss:" : "ws:";
  const prefix = url.pathname.replace(/\/+$/, "");
  const headers: Record<string, string | string[]> = {};
  const auth = authHeaders(config, tokenSource(config, systemClock)());
  for (const [name, value] of Object.entries(auth))
    headers[name] = value.split(headerValueSeparator);
  const socket = new WebSocket(`${scheme}//${url.host}${prefix}${path}`, [...protocols], {
    ...tlsOptions(config),
    headers: headers as Record<string, string>,
    perMessageDeflate: false,
  });
  socket.on("unexpected-response", (request, response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => {
      request.destroy();
      const text = Buffer.concat(chunks).toString("utf8");
      socket.emit("error", responseError(response.statusCode ?? 0, text));
      // Ending a socket that never opened is one more error to `ws`: it has been told already.
      socket.on("error", () => {});
      socket.terminate();
    });
  });
  return socket;
}
