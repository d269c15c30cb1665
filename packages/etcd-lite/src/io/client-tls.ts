/**
 * TLS for clients, from flags: certificate and key (which may be replaced while the server runs),
 * who clients must be signed by, which versions are spoken.
 *
 * Errors  FlagError, in etcd's words where it has some
 * Source  etcd v3.6 client/pkg/transport/listener.go, tlsutil/versions.go
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CertifiedKey, ServerTls } from "@nanokube/rpc";
import { FlagError, type FlagValues, isTrue } from "../core/flags.ts";
import { readCipherSuites } from "./cipher-suites.ts";
import { selfSigned } from "./self-signed.ts";

export interface TlsPlace {
  readonly dataDir: string;
  readonly listenURLs: readonly string[];
  readonly nowMs: number;
}

export async function readClientTls(
  flags: FlagValues,
  place: TlsPlace,
): Promise<ServerTls | undefined> {
  const [minVersion, maxVersion] = readVersions(flags);
  const ciphers = readCipherSuites(flags);
  const files = await certificateFiles(flags, place);
  if (files === undefined) return undefined;
  const { "trusted-ca-file": ca = "", "client-crl-file": crl = "" } = flags;
  const load = (): CertifiedKey => ({ cert: read(files.cert), key: read(files.key) });
  return {
    ...load(),
    ...(ca === "" ? {} : { ca: read(ca) }),
    ...(crl === "" ? {} : { crl: read(crl) }),
    // A CA alone asks for certificates too.
    requireClientCert: ca !== "" || isTrue(flags["client-cert-auth"]),
    minVersion,
    maxVersion,
    ciphers,
    renewed: watchFiles([files.cert, files.key], load),
  };
}

interface Files {
  readonly cert: string;
  readonly key: string;
}

async function certificateFiles(flags: FlagValues, place: TlsPlace): Promise<Files | undefined> {
  const { "cert-file": cert = "", "key-file": key = "" } = flags;
  if (cert !== "" && key !== "") return { cert, key };
  if (cert !== "" || key !== "") {
    throw new FlagError("--cert-file and --key-file must be set together");
  }
  if (!isTrue(flags["auto-tls"])) return undefined;
  const validYears = Number(flags["self-signed-cert-validity"] ?? 1);
  if (validYears === 0) {
    throw new FlagError("selfSignedCertValidity is invalid,it should be greater than 0");
  }
  const hosts = place.listenURLs
    .filter((url) => url.startsWith("http"))
    .map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ""));
  const directory = join(place.dataDir, "fixtures", "client");
  const { nowMs } = place;
  const made = await selfSigned({ directory, hosts: [...new Set(hosts)], validYears, nowMs });
  return { cert: made.certFile, key: made.keyFile };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new FlagError(
      code === "ENOENT" ? `open ${file}: no such file or directory` : `open ${file}: ${message}`,
    );
  }
}

const versions = { "TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3" } as const;
type Version = (typeof versions)[keyof typeof versions];

function readVersions(flags: FlagValues): [Version, Version | undefined] {
  const version = (name: string): Version | undefined => {
    const text = flags[name] ?? "";
    if (text === "") return undefined;
    const known = versions[text as keyof typeof versions];
    if (known === undefined) {
      throw new FlagError(`unexpected TLS version "${text}" (must be one of: TLS1.2, TLS1.3)`);
    }
    return known;
  };
  const least = version("tls-min-version") ?? "TLSv1.2";
  const most = version("tls-max-version");
  if (most !== undefined && most < least) {
    const range = `min version (${flags["tls-min-version"]}) is greater than max version`;
    throw new FlagError(`${range} (${flags["tls-max-version"]})`);
  }
  return [least, most];
}

/** Tells what stands in the files when that is something else than the last time. */
function watchFiles<T>(files: readonly string[], load: () => T): () => T | undefined {
  const stamp = () => files.map((file) => `${statSync(file).mtimeMs}:${statSync(file).ino}`).join();
  let last = stamp();
  return () => {
    try {
      const now = stamp();
      if (now === last) return undefined;
      const fresh = load();
      last = now;
      return fresh;
    } catch {
      return undefined; // In the middle of being replaced: the old ones serve until it is done.
    }
  };
}
