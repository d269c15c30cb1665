/**
 * Requests passed on to kubelets, pods and services: plain ones answered as a stream, upgrades as a
 * tunnel of raw bytes (SPDY and WebSocket alike).
 *
 * Source  apimachinery pkg/util/proxy/upgradeaware.go, pkg/registry/core/node/rest/proxy.go
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import {
  genericStatus,
  type StatusError,
  serviceUnavailable,
  statusErrorFromObject,
} from "@nanokube/machinery";
import type { Location } from "../core/connect/kubelet-location.ts";
import type { ApiRequest, ApiResponse, Sink } from "../core/rest/context.ts";
import { dialProblem } from "./dial-problem.ts";

export interface BackendCredentials {
  cert?: string | undefined;
  key?: string | undefined;
  /** Absent: the other side's certificate is not checked. */
  ca?: string | undefined;
  /** Pods and nodes are processes beside this one: a proxy may lead to this machine's addresses. */
  allowsLoopback?: boolean;
}

/** Headers that belong to one connection, or to the caller's identity here. */
const notPassedOn = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "authorization",
  "content-length",
]);

function optionsFor(
  location: Location,
  request: ApiRequest,
  credentials: BackendCredentials,
  method: string,
): RequestOptions {
  const headers = headersToPassOn(request);
  const { host, port, path } = location;
  const tls =
    location.scheme === "https"
      ? {
          cert: credentials.cert,
          key: credentials.key,
          ca: credentials.ca,
          rejectUnauthorized: credentials.ca !== undefined,
        }
      : {};
  return { host, port, path, method, headers, agent: false, ...tls };
}

function start(location: Location): typeof httpRequest {
  return location.scheme === "https" ? httpsRequest : httpRequest;
}

export function passOn(
  location: Location,
  request: ApiRequest,
  credentials: BackendCredentials,
  refusal = unreachable,
): Promise<ApiResponse> {
  const options = optionsFor(location, request, credentials, request.method);
  const send = start(location);
  return forward({ send, options, request, refusal: (error) => refusal(location, error) });
}

export interface Forwarding {
  send: typeof httpRequest;
  options: RequestOptions;
  request: ApiRequest;
  /** What the caller gets when nobody answers. */
  refusal(error: Error): Error;
}

/** The request as it came, sent on; the answer as a stream. */
export async function forward(forwarding: Forwarding): Promise<ApiResponse> {
  const { send, options, request, refusal } = forwarding;
  const body =
    request.method === "GET" || request.method === "HEAD" ? undefined : await request.body();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = send({ ...options, signal: request.signal }, resolve);
    sent.on("error", (error) => reject(refusal(error)));
    if (body !== undefined && body.length > 0) {
      sent.setHeader("content-length", body.length);
      sent.write(body);
    }
    sent.end();
  });
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value === undefined || notPassedOn.has(name)) continue;
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    status: response.statusCode ?? 502,
    headers,
    body: (sink) => pour(response, sink),
  };
}

/** What of the caller's headers goes on to the other side. */
export function headersToPassOn(request: ApiRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (!notPassedOn.has(name) && !name.startsWith("impersonate-")) headers[name] = value;
  }
  return headers;
}

function pour(response: IncomingMessage, sink: Sink): void {
  response.on("data", (chunk: Buffer) => {
    sink.write(chunk);
    if (sink.pendingBytes > 1024 * 1024) wait(response, sink);
  });
  response.on("end", () => sink.end());
  response.on("error", () => sink.destroy());
}

/** The reader is behind: the other side waits until it has caught up. */
function wait(response: IncomingMessage, sink: Sink): void {
  response.pause();
  const look = setInterval(() => {
    if (sink.pendingBytes > 64 * 1024 && !response.destroyed) return;
    clearInterval(look);
    response.resume();
  }, 5);
}

function unreachable(location: Location, error: Error): StatusError {
  const text = `error dialing backend: ${dialProblem(location, error)}`;
  return genericStatus(500, "InternalError", `Internal error occurred: ${text}`);
}

/** What a proxy says of a pod or Service that nobody answers for. */
export function serviceOutOfReach(location: Location, error: Error): StatusError {
  return serviceUnavailable(`error trying to reach service: ${dialProblem(location, error)}`);
}

export interface UpgradeTunnel {
  location: Location;
  request: ApiRequest;
  credentials: BackendCredentials;
  /** The caller's connection, and what it has sent behind its headers. */
  socket: Duplex;
  head: Buffer;
  /** The other side has agreed. */
  onSwitched?: () => void;
}

export function tunnel(upgrade: UpgradeTunnel): Promise<void> {
  const { location, request, credentials, ...connection } = upgrade;
  const options = optionsFor(location, request, credentials, request.method);
  const refusal = (error: Error): Error => unreachable(location, error);
  return joinUpgrade({ send: start(location), options, request, refusal, ...connection });
}

/** Joins both connections once the other side has agreed; throws what it answers otherwise. */
export async function joinUpgrade(
  upgrade: Forwarding & Pick<UpgradeTunnel, "socket" | "head" | "onSwitched">,
): Promise<void> {
  const { send, options, request, socket, head } = upgrade;
  const headers = {
    ...(options.headers as Record<string, string>),
    connection: "Upgrade",
    upgrade: request.headers.upgrade ?? "",
  };
  await new Promise<void>((resolve, reject) => {
    const sent = send({ ...options, headers });
    sent.on("error", (error) => reject(upgrade.refusal(error)));
    sent.on("response", (response) => void refusal(response).then(reject));
    sent.on("upgrade", (response, backend, backendHead) => {
      upgrade.onSwitched?.();
      socket.write(rawHead(response));
      if (backendHead.length > 0) socket.write(backendHead);
      if (head.length > 0) backend.write(head);
      join(socket, backend);
      resolve();
    });
    socket.once("close", () => sent.destroy());
    sent.end();
  });
}

function join(a: Duplex, b: Duplex): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}

function rawHead(response: IncomingMessage): string {
  let text = `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n`;
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    text += `${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}\r\n`;
  }
  return `${text}\r\n`;
}

async function refusal(response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  try {
    const status = statusErrorFromObject(JSON.parse(text));
    if (status !== undefined) return status;
  } catch {
    // Plain text, as kubelets answer mostly.
  }
  return genericStatus(
    response.statusCode ?? 500,
    "",
    text.trim() || `unable to upgrade connection`,
  );
}
