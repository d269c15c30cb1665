/**
 * How the listener speaks: versions and ciphers of TLS, HTTP/2, and what browsers are told of it.
 *
 * Errors  upstream's words for unknown ciphers, versions and directives
 * Source  component-base cli/flag/ciphersuites_flag.go, apiserver pkg/server/options/serving.go,
 *         pkg/server/filters/hsts.go
 */
import type { SecureVersion } from "node:tls";
import { type Flags, isTrue } from "./flags.ts";

export interface ServingOptions {
  /** TLS 1.2 unless told. */
  minVersion?: SecureVersion;
  /** OpenSSL's names; the platform's when absent. */
  ciphers?: string;
  /** It is spoken unless told. */
  http2?: boolean;
  /** 250 unless told. */
  streamsMax?: number;
  /** The header Strict-Transport-Security. */
  transportSecurity?: string;
}

const versions: Readonly<Record<string, SecureVersion | undefined>> = {
  VersionTLS10: "TLSv1",
  VersionTLS11: "TLSv1.1",
  VersionTLS12: "TLSv1.2",
  VersionTLS13: "TLSv1.3",
};

/** Go's names to OpenSSL's; those of TLS 1.3 cannot be chosen, as in Go. */
const cipherNames: Readonly<Record<string, string | undefined>> = {
  TLS_AES_128_GCM_SHA256: "",
  TLS_AES_256_GCM_SHA384: "",
  TLS_CHACHA20_POLY1305_SHA256: "",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA",
  TLS_RSA_WITH_AES_256_CBC_SHA: "AES256-SHA",
  TLS_RSA_WITH_AES_128_GCM_SHA256: "AES128-GCM-SHA256",
  TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: "ECDHE-ECDSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: "ECDHE-RSA-AES128-SHA256",
  TLS_RSA_WITH_AES_128_CBC_SHA256: "AES128-SHA256",
};
const always = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

const directive = /^(max-age=[^=]*|includeSubDomains|preload)$/;

export function servingOptions(flags: Flags, complaints: string[]): ServingOptions {
  const one = (name: string): string | undefined => flags.get(name)?.at(-1) || undefined;
  const options: ServingOptions = { http2: !isTrue(one("disable-http2-serving"), false) };
  const version = one("tls-min-version");
  const minVersion = version === undefined ? undefined : versions[version];
  if (minVersion !== undefined) options.minVersion = minVersion;
  else if (version !== undefined) complaints.push(`unknown tls version ${JSON.stringify(version)}`);
  const suites = flags.get("tls-cipher-suites") ?? [];
  const unknown = suites.find((name) => cipherNames[name] === undefined);
  if (unknown !== undefined) {
    complaints.push(`Cipher suite ${unknown} not supported or doesn't exist`);
  } else if (suites.length > 0) {
    const chosen = suites.map((name) => cipherNames[name] ?? "").filter(Boolean);
    options.ciphers = [...always, ...chosen].join(":");
  }
  const streamsMax = Number(one("http2-max-streams-per-connection") ?? "0");
  if (streamsMax > 0) options.streamsMax = streamsMax;
  const directives = flags.get("strict-transport-security-directives") ?? [];
  if (directives.some((text) => !directive.test(text))) {
    const allowed = "allowed values: max-age=expireTime, includeSubDomains, preload";
    const more = "see https://tools.ietf.org/html/rfc6797#section-6.1 for more information";
    complaints.push(`--strict-transport-security-directives invalid, ${allowed}. ${more}`);
  } else if (directives.length > 0) options.transportSecurity = directives.join("; ");
  return options;
}
