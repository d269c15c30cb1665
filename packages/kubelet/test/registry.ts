/** A registry of one tiny image on this machine, for those who know the password. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Registry {
  host: string;
  close(): Promise<void>;
}

const digestOf = (data: Buffer) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

interface Blob {
  type: string;
  data: Buffer;
}

function image(): { manifest: Blob; blobs: Map<string, Blob> } {
  const blobs = new Map<string, Blob>();
  const add = (type: string, data: Buffer) => {
    blobs.set(digestOf(data), { type, data });
    return { mediaType: type, digest: digestOf(data), size: data.length };
  };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const tar = execFileSync("tar", ["-C", "/", "-cf", "-", "bin/busybox"], { maxBuffer: 1 << 26 });
  const layer = add("application/vnd.oci.image.layer.v1.tar", tar);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const rootfs = { type: "layers", diff_ids: [layer.digest] };
  const config = add(
    "application/vnd.oci.image.config.v1+json",
    json({ architecture, os: "linux", config: {}, rootfs }),
  );
  const type = "application/vnd.oci.image.manifest.v1+json";
  const data = json({ schemaVersion: 2, mediaType: type, config, layers: [layer] });
  const manifest = { type, data };
  blobs.set(digestOf(data), manifest);
  return { manifest, blobs };
}

export async function startRegistry(user: string, password: string): Promise<Registry> {
  const { manifest, blobs } = image();
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="private"' });
      response.end();
      return;
    }
    const [, reference = ""] = /\/(?:manifests|blobs)\/(.*)$/.exec(path) ?? [];
    const found = blobs.get(reference) ?? (path.includes("/manifests/") ? manifest : undefined);
    if (found === undefined) {
      response.writeHead(path === "/v2/" ? 200 : 404);
      response.end();
      return;
    }
    response.writeHead(200, {
      "content-type": found.type,
      "content-length": found.data.length,
      "docker-content-digest": digestOf(found.data),
    });
    response.end(request.method === "HEAD" ? undefined : found.data);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
