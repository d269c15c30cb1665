/**
 * One call to a server behind this one: over TLS, to the name of its Service, with the certificate
 * that makes it believe the identity headers.
 *
 * Source  kube-aggregator pkg/controllers/status/remote/remote_available_controller.go
 *         (BuildTransportConfig)
 */
import type { RequestOptions } from "node:https";
import type { RemoteService } from "../core/aggregation/remote-service.ts";
import type { ApiResponse } from "../core/rest/context.ts";
import type { BackendCredentials } from "./backend.ts";

/** A refusal in plain text, as Go's http.Error writes it. */
export class TextError extends Error {}

export function textAnswer(status: number, text: string): ApiResponse {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
    body: new TextEncoder().encode(`${text}\n`),
  };
}

export interface RemoteCall {
  remote: RemoteService;
  host: string;
  port: number;
  path: string;
  headers: Record<string, string | string[]>;
  proxyClient: BackendCredentials;
}

export function askRemote(call: RemoteCall): RequestOptions {
  const { remote, host, port, path, headers, proxyClient } = call;
  return {
    host,
    port,
    path,
    headers,
    agent: false,
    servername: `${remote.service}.${remote.namespace}.svc`,
    cert: proxyClient.cert,
    key: proxyClient.key,
    rejectUnauthorized: !remote.insecure,
    ...(remote.caBundle === undefined ? {} : { ca: Buffer.from(remote.caBundle, "base64") }),
  };
}
