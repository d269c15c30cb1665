/**
 * A registry as one meets it on a network: HTTP, or HTTPS with an authority of its own and, where
 * it is given a user, basic authentication. It holds one image that our OCI writer made.
 */
import { createServer as createPlain, type RequestListener, request } from "node:http";
import { createServer as createTLS } from "node:https";
import type { AddressInfo } from "node:net";
import { ImageStore } from "../src/io/image-store.ts";
import { createAuthority, issue } from "../src/io/pki.ts";
import { startRegistry } from "../src/io/registry.ts";

export interface PrivateRegistry {
  /** "10.90.0.1:40001/team/app:1". */
  image: string;
  address: string;
  /** PEM of the authority that signed its certificate; absent without TLS. */
  ca?: string;
  /** Every request that was let in, "GET /v2/team/app/manifests/1". */
  served: string[];
  close(): Promise<void>;
}

export interface PrivateRegistryOptions {
  host: string;
  directory: string;
  busybox: string;
  tls: boolean;
  user?: { name: string; password: string };
}

async function addImage(store: ImageStore, busybox: string, name: string): Promise<void> {
  const layer = [
    { type: "directory", path: "bin" },
    { type: "copy", path: "bin/busybox", mode: 0o755, source: busybox },
  ] as const;
  const config = { Entrypoint: ["/bin/busybox"], Cmd: ["sleep", "3600"] };
  await store.add({ names: [name], layers: [layer], config });
}

export async function startPrivateRegistry(
  options: PrivateRegistryOptions,
): Promise<PrivateRegistry> {
  const { host, user } = options;
  const store = new ImageStore(options.directory);
  const inner = await startRegistry(store, "127.0.0.1", 0);
  const served: string[] = [];
  const wanted = user && `Basic ${btoa(`${user.name}:${user.password}`)}`;
  let address = "";

  const front: RequestListener = (asked, answer) => {
    if (wanted !== undefined && asked.headers.authorization !== wanted) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="team"' });
      return void answer.end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    }
    const url = new URL(asked.url ?? "/", "http://registry");
    served.push(`${asked.method} ${url.pathname}`);
    // The registry behind tells its images apart by the name they are asked under.
    url.searchParams.set("ns", address);
    const { pathname, search } = url;
    const target = { port: inner.port, method: asked.method, path: pathname + search };
    request(target, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    }).end();
  };
  const authority = await createAuthority("a-registry-ca");
  const serving = await issue(authority, { commonName: host, addresses: [host] });
  const server = options.tls ? createTLS(serving, front) : createPlain(front);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  address = `${host}:${(server.address() as AddressInfo).port}`;
  const image = `${address}/team/app:1`;
  await addImage(store, options.busybox, image);
  return {
    image,
    address,
    served,
    ...(options.tls ? { ca: authority.cert } : {}),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await inner.close();
    },
  };
}
