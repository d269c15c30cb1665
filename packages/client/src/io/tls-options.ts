/**
 * A RestConfig as Node's TLS and HTTP want it, and its bearer token, read again when its file
 * may have turned.
 *
 * Source  client-go transport/token_source.go (a file's token is kept for one minute)
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Clock } from "@nanokube/machinery";
import type { RestConfig } from "../core/rest-config.ts";

export function tlsOptions(config: RestConfig): ConnectionOptions {
  const host = hostOf(new URL(config.server));
  const servername = config.tlsServerName ?? (isIP(host) === 0 ? host : undefined);
  return {
    ...(config.caData === undefined ? {} : { ca: config.caData }),
    ...(config.certData === undefined ? {} : { cert: config.certData, key: config.keyData }),
    ...(config.insecureSkipTLSVerify ? { rejectUnauthorized: false } : {}),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** Without the brackets that a URL puts around an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

export function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

const tokenAgeMaxMs = 60_000;

export function tokenSource(config: RestConfig, clock: Clock): () => string | undefined {
  const { tokenFile } = config;
  if (tokenFile === undefined) return () => config.token;
  let token = config.token;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (clock.monotonic() - readAt < tokenAgeMaxMs) return token;
    try {
      token = readFileSync(tokenFile, "utf8").trim();
      readAt = clock.monotonic();
    } catch (error) {
      // A file in the middle of its rotation: the last token is as good as any, if there was one.
      if (token === undefined) throw error;
    }
    return token;
  };
}
