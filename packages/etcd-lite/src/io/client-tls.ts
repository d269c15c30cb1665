/**
 * TLS for clients, from flags: certificate and key (which may be replaced while the server runs),
 * who clients must be signed by, which versions are spoken.
 *
 * Errors  FlagError, in etcd's words where it has some
 * Source  etcd v3.6 client/pkg/transport/listener.go, tlsutil/versions.go
 */
import type { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
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
  readOwnCertificate(flags, "");
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
    isClientAllowed: allowedCertificates({ hosts: flags["client-cert-allowed-hostname"] }),
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
  const validYears = validYearsOf(flags);
  const made = await ownMade({ ...place, validYears, side: "client" });
  return { cert: made.certFile, key: made.keyFile };
}

export function ownMade(place: TlsPlace & { validYears: number; side: "client" | "peer" }) {
  const hosts = place.listenURLs
    .filter((url) => url.startsWith("http"))
    .map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ""));
  const directory = join(place.dataDir, "fixtures", place.side);
  const { nowMs, validYears } = place;
  return selfSigned({ directory, hosts: [...new Set(hosts)], validYears, nowMs });
}

export function validYearsOf(flags: FlagValues): number {
  const validYears = Number(flags["self-signed-cert-validity"] ?? 1);
  if (validYears === 0) {
    throw new FlagError("selfSignedCertValidity is invalid,it should be greater than 0");
  }
  return validYears;
}

/** What a member shows when it calls, where that is not what it serves with; `prefix`: "peer-". */
export function readOwnCertificate(flags: FlagValues, prefix: "" | "peer-") {
  const cert = flags[`${prefix}client-cert-file`] ?? "";
  const key = flags[`${prefix}client-key-file`] ?? "";
  if ((cert === "") !== (key === "")) {
    const which = `key: ${key}, cert: ${cert}`;
    throw new FlagError(
      `ClientKeyFile and ClientCertFile must both be present or both absent: ${which}]`,
    );
  }
  return cert === "" ? undefined : { cert: read(cert), key: read(key) };
}

interface Allowed {
  /** Lists, with commas. */
  readonly names?: string | undefined;
  readonly hosts?: string | undefined;
}

/**
 * Which of the certificates that a CA of ours has signed are good enough: by common name, or by
 * host name or address, which only the subject's alternative names count for.
 */
export function allowedCertificates({ names = "", hosts = "" }: Allowed) {
  const [commonNames, places] = [names, hosts].map((text) => text.split(",").filter(Boolean));
  if (commonNames!.length > 0 && places!.length > 0) {
    const quoted = (list: readonly string[]) => `[${list.map((s) => JSON.stringify(s)).join(" ")}]`;
    const both = `(cns=${quoted(commonNames!)}, hostnames=${quoted(places!)})`;
    throw new FlagError(`AllowedCNs and AllowedHostnames are mutually exclusive ${both}`);
  }
  if (commonNames!.length > 0) {
    return ({ subject }: X509Certificate) =>
      commonNames!.some((name) => subject.split("\n").includes(`CN=${name}`));
  }
  if (places!.length === 0) return undefined;
  return (certificate: X509Certificate) =>
    places!.some((place) =>
      isIP(place) > 0
        ? certificate.checkIP(place) !== undefined
        : certificate.checkHost(place, { subject: "never" }) !== undefined,
    );
}

export function read(file: string): Buffer {
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

export function readVersions(flags: FlagValues): [Version, Version | undefined] {
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
