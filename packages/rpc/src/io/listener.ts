/**
 * Sockets for a server: TCP, TLS, unix. HTTP/2 goes to gRPC, HTTP/1.1 (on the
 * same port) to `http1`.
 *
 * Plain sockets: the first bytes tell (HTTP/2 opens with "PRI * HTTP/2.0"). TLS: ALPN tells.
 * A unix socket file that nobody listens on is a leftover of a killed process and is replaced.
 */
import type { X509Certificate } from "node:crypto";
import { unlink } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { SecureContextOptions, SecureVersion, TLSSocket } from "node:tls";
import { nodeTls } from "./late-modules.ts";

export interface ServerTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** CA of client certificates. */
  readonly ca?: string | Buffer | undefined;
  /** Refuse clients that show no certificate of that CA. */
  readonly requireClientCert?: boolean | undefined;
  /** Asked about each verified certificate of a client: who is refused is not listened to. */
  readonly isClientAllowed?: ((certificate: X509Certificate) => boolean) | undefined;
  /** Revoked certificates of clients. */
  readonly crl?: string | Buffer | undefined;
  readonly minVersion?: SecureVersion | undefined;
  readonly maxVersion?: SecureVersion | undefined;
  /** As OpenSSL writes a list of them. */
  readonly ciphers?: string | undefined;
  /** Asked before each handshake: another certificate and key when they were replaced. */
  readonly renewed?: (() => CertifiedKey | undefined) | undefined;
}

export interface CertifiedKey {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export type ListenOptions =
  | { readonly path: string; readonly tls?: ServerTls | undefined }
  | {
      readonly host?: string | undefined;
      readonly port: number;
      /** Others may listen there too, if they say so: SO_REUSEPORT. */
      readonly reusePort?: boolean | undefined;
      readonly tls?: ServerTls | undefined;
    };

export interface ListenAddress {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
}

/** Takes over a socket that speaks HTTP/2; `first` is what was read of it already. */
export type Http2Sockets = (socket: Socket, first?: Buffer) => void;

/** Made when the first client speaks HTTP/1.1. */
export type Http1 = () => HttpServer;

export interface Listener {
  readonly address: ListenAddress;
  close(): Promise<void>;
}

export async function openListener(
  options: ListenOptions,
  http2: Http2Sockets,
  http1: Http1 | undefined,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createSocketServer(options, http2, http1);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
  });
  if ("path" in options) await listenUnix(server, options.path);
  else {
    const { host = "127.0.0.1", port, reusePort } = options;
    await listen(server, { host, port, reusePort });
  }
  return {
    address: addressOf(server, options),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function createSocketServer(
  options: ListenOptions,
  http2: Http2Sockets,
  http1: Http1 | undefined,
): Server {
  if (options.tls === undefined) {
    return createServer((socket) => {
      socket.on("error", () => {});
      if (http1 === undefined) http2(socket);
      else sniff(socket, http2, http1);
    });
  }
  const { ca, requireClientCert, renewed } = options.tls;
  const server = nodeTls().createServer({
    ...secureContext(options.tls),
    requestCert: ca !== undefined || requireClientCert === true,
    rejectUnauthorized: requireClientCert ?? false,
    ALPNProtocols: http1 === undefined ? ["h2"] : ["h2", "http/1.1"],
  });
  server.prependListener("connection", () => {
    const fresh = renewed?.();
    if (fresh !== undefined) server.setSecureContext(secureContext({ ...options.tls!, ...fresh }));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.on("error", () => {});
    if (!isAllowed(options.tls!, socket)) socket.destroy();
    else if (socket.alpnProtocol === "h2") http2(socket);
    else if (http1 !== undefined) http1().emit("connection", socket);
    else socket.destroy();
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function isAllowed({ isClientAllowed }: ServerTls, socket: TLSSocket): boolean {
  if (isClientAllowed === undefined || !socket.authorized) return true;
  const certificate = socket.getPeerX509Certificate();
  return certificate !== undefined && isClientAllowed(certificate);
}

function secureContext(tls: ServerTls): SecureContextOptions {
  const { cert, key, ca, crl, ciphers, minVersion, maxVersion } = tls;
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    ...(crl === undefined ? {} : { crl }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
}

function sniff(socket: Socket, http2: Http2Sockets, http1: Http1): void {
  socket.once("readable", () => {
    const first = socket.read() as Buffer | null;
    if (first === null) return; // Closed before a word.
    const isHttp2 = first.subarray(0, 3).toString("latin1") === "PRI";
    if (isHttp2) http2(socket, first);
    else {
      socket.unshift(first);
      http1().emit("connection", socket);
    }
  });
}

interface Where {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly reusePort?: boolean | undefined;
}

function listen(server: Server, where: Where) {
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function listenUnix(server: Server, path: string): Promise<void> {
  try {
    await listen(server, { path });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    if (await isListening(path)) throw error;
    await unlink(path);
    await listen(server, { path });
  }
}

/** Does anybody listen on this unix socket? */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function addressOf(server: Server, options: ListenOptions): ListenAddress {
  if ("path" in options) return { path: options.path };
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port };
}
