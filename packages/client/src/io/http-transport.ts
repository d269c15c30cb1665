/**
 * The transport over sockets: one TLS connection tells by ALPN whether the server speaks HTTP/2;
 * if so, sessions are shared by all requests, else a keep-alive agent speaks HTTP/1.1. Plain
 * http:// is HTTP/1.1.
 *
 * Errors  what the socket said (ECONNREFUSED …), as Node's error with its `code`
 * Source  client-go transport/cache.go, apimachinery util/net/http.go (HTTP/2 first, 1.1
 *         when not offered)
 */
import { connect, type TLSSocket } from "node:tls";
import { type Clock, systemClock } from "@nanokube/machinery";
import type { HttpRequest, HttpResponse, HttpTransport } from "../core/http.ts";
import { authHeaders, headerValueSeparator, type RestConfig } from "../core/rest-config.ts";
import { createHttp1Transport } from "./http1-transport.ts";
import { createHttp2Transport } from "./http2-transport.ts";
import { hostOf, portOf, tlsOptions, tokenSource } from "./tls-options.ts";

export interface ClosableTransport extends HttpTransport {
  /** Ends all connections; requests under way fail. */
  close(): void;
}

export interface HttpTransportOptions {
  clock?: Clock;
  /** "http/1.1" refuses HTTP/2. */
  protocol?: "auto" | "http/1.1";
}

export function createHttpTransport(
  config: RestConfig,
  options: HttpTransportOptions = {},
): ClosableTransport {
  const { clock = systemClock, protocol = "auto" } = options;
  const url = new URL(config.server);
  const prefix = url.pathname.replace(/\/+$/, "");
  const token = tokenSource(config, clock);
  const wire = createWire(url, config, protocol);

  const transport = (request: HttpRequest): Promise<HttpResponse> => {
    const headers = { ...authHeaders(config, token()), ...request.headers };
    return wire.request({ ...request, path: prefix + request.path, headers: split(headers) });
  };
  return Object.assign(transport, { close: () => wire.close() });
}

/** A request whose headers may have several values. */
export interface WireRequest extends Omit<HttpRequest, "headers"> {
  headers: Record<string, string | string[]>;
}

export interface Wire {
  request(request: WireRequest): Promise<HttpResponse>;
  close(): void;
}

function split(headers: Record<string, string>): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    out[name] = value.includes(headerValueSeparator) ? value.split(headerValueSeparator) : value;
  }
  return out;
}

function createWire(url: URL, config: RestConfig, protocol: "auto" | "http/1.1"): Wire {
  const tls = url.protocol === "https:" ? tlsOptions(config) : undefined;
  if (tls === undefined || protocol === "http/1.1") return createHttp1Transport(url, tls);

  const dial = (): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({
        ...tls,
        host: hostOf(url),
        port: portOf(url),
        ALPNProtocols: ["h2", "http/1.1"],
      });
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
    });
  let wire: Promise<Wire> | undefined;
  let closed = false;
  // The first connection decides the protocol; a failed one decides nothing, the next request
  // tries again.
  const decide = async (): Promise<Wire> => {
    const socket = await dial();
    if (socket.alpnProtocol === "h2") return createHttp2Transport(url, dial, socket);
    socket.destroy();
    return createHttp1Transport(url, tls);
  };
  return {
    async request(request) {
      if (closed) throw new Error("transport is closed");
      if (wire === undefined) {
        wire = decide();
        wire.catch(() => {
          wire = undefined;
        });
      }
      return (await wire).request(request);
    },
    close() {
      closed = true;
      wire?.then(
        (made) => made.close(),
        () => {},
      );
    },
  };
}
