/**
 * The HTTP request of a probe or hook.
 *
 * Redirects to the same host are followed, ten at most; certificates are not checked.
 * Source  pkg/probe/http/http.go, request.go
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { kubernetesVersion } from "@nanokube/api";
import type { Container, HTTPGetAction } from "@nanokube/api/core/v1";
import { probeDeadline } from "./probe-deadline.ts";

const BODY_MAX = 10 * 1024;
const REDIRECTS_MAX = 10;

export interface HTTPTarget {
  url: URL;
  headers: Record<string, string | string[]>;
}

export interface HTTPAnswer {
  status: number;
  body: string;
}

/** A port by number or by the container's name for it. */
export function resolvePort(port: number | string | undefined, container: Container): number {
  const named = (container.ports ?? []).find((entry) => entry.name === port)?.containerPort;
  const number = typeof port === "number" ? port : (named ?? Number.parseInt(port ?? "", 10));
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  throw new Error(
    typeof port === "number" || !Number.isNaN(number)
      ? `invalid port number: ${port}`
      : `couldn't find port: ${port} in container`,
  );
}

/** Where the request goes and with what headers. */
export function httpTarget(
  action: HTTPGetAction,
  container: Container,
  podIP: string,
  agent: string,
): HTTPTarget {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const host = action.host || podIP;
  const port = resolvePort(action.port, container);
  const authority = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const path = action.path ?? "/";
  const url = new URL(path.startsWith("/") ? path : `/${path}`, `${scheme}://${authority}`);
  const [major, minor] = kubernetesVersion.replace(/^v/, "").split(".");
  const headers: Record<string, string | string[]> = {
    "user-agent": `kube-${agent === "probe" ? "probe" : "lifecycle"}/${major}.${minor}`,
    accept: "*/*",
    connection: "close",
  };
  for (const { name = "", value = "" } of action.httpHeaders ?? []) {
    const key = name.toLowerCase();
    const before = headers[key];
    const own = key === "user-agent" || key === "accept" || key === "connection";
    if (before === undefined || own) headers[key] = value;
    else headers[key] = [...(Array.isArray(before) ? before : [before]), value];
  }
  return { url, headers };
}

function once(target: HTTPTarget, timeoutMs: number): Promise<HTTPAnswer & { location?: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<HTTPAnswer & { location?: string }>();
  const send = target.url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send(
    target.url,
    { headers: target.headers, rejectUnauthorized: false, agent: false, setHost: true },
    (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString().slice(0, BODY_MAX),
          ...(response.headers.location === undefined
            ? {}
            : { location: response.headers.location }),
        });
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > BODY_MAX) {
          finish();
          request.destroy();
        }
      });
      response.on("end", finish);
      response.on("error", reject);
    },
  );
  // Node has no limit for the whole exchange; a slow server would hold the probe for ever.
  const cancel = probeDeadline(timeoutMs, () => {
    request.destroy(
      new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
    );
  });
  request.on("error", reject);
  request.on("close", cancel);
  request.end();
  return promise;
}

/** Errors are worded as Go's: `Get "url": dial tcp 1.2.3.4:80: connect: connection refused`. */
function goError(target: HTTPTarget, error: NodeJS.ErrnoException): Error {
  const { hostname, port, protocol } = target.url;
  const address = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  return new Error(`Get "${target.url.href}": ${goDialError(address, error)}`);
}

const ERRNO: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

export function goDialError(address: string, error: NodeJS.ErrnoException): string {
  const known = ERRNO[error.code ?? ""];
  if (known !== undefined) return `dial tcp ${address}: ${known}`;
  if (error.code === "ECONNRESET") return "EOF";
  return error.message;
}

export async function httpGet(target: HTTPTarget, timeoutMs: number): Promise<HTTPAnswer> {
  let at = target;
  for (let hop = 0; ; hop += 1) {
    let answer: HTTPAnswer & { location?: string };
    try {
      answer = await once(at, timeoutMs);
    } catch (error) {
      throw goError(at, error as NodeJS.ErrnoException);
    }
    const moved = answer.status >= 300 && answer.status < 400 && answer.location !== undefined;
    if (!moved) return answer;
    const next = new URL(answer.location!, at.url);
    if (next.hostname !== target.url.hostname) return answer;
    if (hop >= REDIRECTS_MAX) throw new Error(`Get "${next.href}": stopped after 10 redirects`);
    at = { ...at, url: next };
  }
}
