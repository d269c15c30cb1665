/**
 * A read-only registry over the image store, for the cluster's nodes alone.
 *
 * containerd asks it before the registry that an image's name says (as a mirror, with `?ns=`), so
 * that images of this machine are found under the names people write, and others come from where
 * they live when the machine has a network.
 *
 * Errors  the distribution specification's JSON: MANIFEST_UNKNOWN, BLOB_UNKNOWN, UNSUPPORTED
 * Source  OCI distribution-spec v1.1; containerd docs/hosts.md
 */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { type ListeningServer, serveHTTP } from "@nanokube/machinery/serve-http";
import type { ImageStore } from "./image-store.ts";

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ code, message }] });
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body);
}

async function serveManifest(
  store: ImageStore,
  registry: string,
  repository: string,
  reference: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const byDigest = reference.startsWith("sha256:");
  const prefix = `${registry}/${repository}`;
  const image = (await store.list()).find(
    ({ name, manifest }) =>
      name.slice(0, name.lastIndexOf(":")) === prefix &&
      (byDigest ? manifest.digest === reference : name === `${prefix}:${reference}`),
  );
  const digest = image?.manifest.digest ?? (byDigest ? reference : undefined);
  const body = digest && (await readFile(store.blobPath(digest)).catch(() => undefined));
  if (digest === undefined || body === undefined || body === "") {
    return refuse(response, 404, "MANIFEST_UNKNOWN", `manifest unknown: ${prefix}:${reference}`);
  }
  const parsed = JSON.parse(body.toString("utf8")) as { mediaType?: string };
  response.writeHead(200, {
    "content-type": image?.manifest.mediaType ?? parsed.mediaType ?? "application/octet-stream",
    "content-length": body.length,
    "docker-content-digest": digest,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function serveBlob(
  store: ImageStore,
  digest: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = /^sha256:[0-9a-f]{64}$/.test(digest) ? store.blobPath(digest) : undefined;
  const size = path && (await stat(path).catch(() => undefined))?.size;
  if (path === undefined || size === undefined) {
    return refuse(response, 404, "BLOB_UNKNOWN", `blob unknown to registry: ${digest}`);
  }
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": size,
    "docker-content-digest": digest,
  });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(path), response).catch(() => response.destroy());
}

async function handle(
  store: ImageStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(response, 405, "UNSUPPORTED", "this registry is read-only");
  }
  const url = new URL(request.url ?? "/", "http://registry");
  if (url.pathname === "/v2/") {
    response.writeHead(200, { "docker-distribution-api-version": "registry/2.0" });
    return void response.end("{}");
  }
  const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(decodeURI(url.pathname));
  if (match === null) return refuse(response, 404, "UNSUPPORTED", "no such endpoint");
  const [, repository, what, reference] = match as unknown as [string, string, string, string];
  if (what === "blobs") return serveBlob(store, reference, request, response);
  const registry = url.searchParams.get("ns") ?? "docker.io";
  return serveManifest(store, registry, repository, reference, request, response);
}

export async function startRegistry(
  store: ImageStore,
  host: string,
  port: number,
): Promise<ListeningServer> {
  const server: Server = createServer((request, response) => {
    handle(store, request, response).catch((error: Error) =>
      response.headersSent ? response.destroy() : refuse(response, 500, "UNKNOWN", error.message),
    );
  });
  return serveHTTP(server, { host, port });
}
