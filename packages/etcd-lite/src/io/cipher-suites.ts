/**
 * --cipher-suites: Go's names for what OpenSSL calls otherwise.
 *
 * As in Go they are about TLS 1.2: the three suites of TLS 1.3 are always there.
 * Errors  FlagError in etcd's words for a name that nobody knows
 * Source  etcd v3.6 client/pkg/tlsutil/cipher_suites.go; IANA's and OpenSSL's lists of names
 */
import { FlagError, type FlagValues } from "../core/flags.ts";

const always = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

const openNames: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA",
  TLS_RSA_WITH_AES_256_CBC_SHA: "AES256-SHA",
  TLS_RSA_WITH_AES_128_CBC_SHA256: "AES128-SHA256",
  TLS_RSA_WITH_AES_128_GCM_SHA256: "AES128-GCM-SHA256",
  TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: "ECDHE-ECDSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: "ECDHE-RSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: "ECDHE-ECDSA-CHACHA20-POLY1305",
};

/** Go knows them as insecure; OpenSSL has forgotten them. */
const forgotten: ReadonlySet<string> = new Set([
  "TLS_RSA_WITH_RC4_128_SHA",
  "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
]);

/** For node:tls; undefined where nothing was asked for. */
export function readCipherSuites(flags: FlagValues): string | undefined {
  const text = flags["cipher-suites"] ?? "";
  if (text === "") return undefined;
  if (flags["tls-min-version"] === "TLS1.3") {
    throw new FlagError("cipher suites cannot be configured when only TLS1.3 is enabled");
  }
  const names = text.split(",").map(openName);
  return [...names.filter((name) => !always.includes(name)), ...always].join(":");
}

function openName(name: string): string {
  if (always.includes(name)) return name;
  if (forgotten.has(name)) {
    throw new FlagError(`cipher suite ${name} is not implemented by etcd-lite (see "Left out")`);
  }
  const found = openNames[name];
  if (found === undefined) throw new FlagError(`unexpected TLS cipher suite "${name}"`);
  return found;
}
