/**
 * Where the server listens, and the certificates there: its own, and the authorities of its
 * callers', taken anew when their files change.
 *
 * Source  apiserver pkg/server/dynamiccertificates/dynamic_{serving_content,cafile_content}.go
 */
import type { Log } from "@nanokube/machinery";
import { usualGates } from "../core/feature-gates.ts";
import type { Aggregator } from "./aggregator.ts";
import type { ApiServerOptions, ApiServerPKI, Parts } from "./api-server.ts";
import { authenticationConfig } from "./bootstrap.ts";
import type { RenewableAuthorities } from "./certificate-authorities.ts";
import { followFiles } from "./certificate-files.ts";
import { serveUpgrade } from "./connect-operations.ts";
import { HttpServer } from "./http-server.ts";

export interface ListenerParts
  extends Pick<Parts, "handler" | "handlerOptions" | "credentials" | "local" | "registry"> {
  aggregator: Aggregator;
  authorities: RenewableAuthorities;
}

export function createListener(options: ApiServerOptions, parts: ListenerParts): HttpServer {
  const { pki } = options;
  if (pki.servingCert === undefined || pki.servingKey === undefined) {
    throw new Error("a listener needs pki.servingCert and pki.servingKey");
  }
  const { aggregator, credentials } = parts;
  const deps = { options: parts.handlerOptions, credentials, aggregator };
  return new HttpServer({
    certificates: certificatesOf(pki),
    handler: parts.handler,
    serving: options.serving,
    compresses: (options.featureGates ?? usualGates).isOn("APIResponseCompression"),
    upgrade: (request, socket, head, raw) =>
      void serveUpgrade(deps, request, { socket, head, raw }),
  });
}

function certificatesOf(pki: ApiServerPKI) {
  const { servingCert: cert = "", servingKey: key = "" } = pki;
  return {
    cert,
    key,
    clientCA: [pki.clientCA, pki.requestHeaderCA].filter((ca) => ca !== undefined),
  };
}

/** Follows the files that certificates came from, for as long as the signal lasts. */
export function followCertificates(
  options: ApiServerOptions,
  parts: ListenerParts,
  { server, signal }: { server: HttpServer; signal: AbortSignal },
): void {
  const { log, servingFiles = {} } = options;
  let pki = options.pki;
  const renew = async (read: Partial<ApiServerPKI>): Promise<void> => {
    const before = pki;
    const now = { ...pki, ...read };
    server.renew(certificatesOf(now));
    pki = now;
    for (const name of ["clientCA", "requestHeaderCA"] as const) {
      const [old, bundle] = [before[name], now[name]];
      if (old !== undefined && bundle !== undefined) parts.authorities.renew(old, bundle);
    }
    await authenticationConfig({ ...parts, options: { ...options, pki } });
  };
  followFiles(servingFiles, (read) => tellRenewed(log, renew(read)), { log, signal });
}

function tellRenewed(log: Log, renewed: Promise<void>): void {
  renewed.then(
    () => log.info({}, "certificates renewed"),
    // Half of a new pair: the other file's change comes as well.
    (error: unknown) => log.warn({ error: String(error) }, "certificates cannot be used yet"),
  );
}
