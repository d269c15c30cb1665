/**
 * kube-apiserver's flags as options: files read, values checked, all complaints at once.
 *
 * Errors  FlagError whose message has one line a complaint, in upstream's words where it has some
 * Source  pkg/controlplane/apiserver/options, staging/src/k8s.io/apiserver/pkg/server/options
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { type Clock, type Log, parseGoDurationMs, type Random } from "@nanokube/machinery";
import { dial } from "@nanokube/rpc";
import type { RequestHeaderNames } from "../core/authentication/request-header.ts";
import { parseTokenFile } from "../core/authentication/static-tokens.ts";
import { authorizationModes } from "../core/authorization/create-authorizer.ts";
import { readFeatureGates } from "../core/feature-gates.ts";
import type { StorageMediaType } from "../core/registry.ts";
import type { TimeLimits } from "../core/rest/context.ts";
import { addressIn, parseRanges } from "../core/service/cidr.ts";
import type { PortRange } from "../core/service/node-ports.ts";
import { accessOptions } from "./access-options.ts";
import { admissionFlags } from "./admission-flags.ts";
import { type ApiServerOptions, endpointReconcilerTypes } from "./api-server-options.ts";
import { auditorOf } from "./audit-options.ts";
import type { CertificateFiles } from "./certificate-files.ts";
import type { Encryption } from "./encryption.ts";
import { fixedFlagProblems } from "./fixed-flags.ts";
import { FlagError, type Flags, isTrue } from "./flags.ts";
import { serviceRangeProblems, usualServiceRange } from "./service-range-flag.ts";
import { servingOptions } from "./serving-flags.ts";

export interface Configuration {
  /** How long it goes on serving once it has been told to end. */
  shutdownDelayMs: number;
  server: ApiServerOptions;
  host: string;
  port: number;
}

const mediaTypes = ["application/json", "application/vnd.kubernetes.protobuf"];

export async function optionsFromFlags(
  flags: Flags,
  deps: { clock: Clock; random: Random; log: Log },
): Promise<Configuration> {
  const one = (name: string): string | undefined => flags.get(name)?.at(-1);
  const complaints: string[] = [];
  const file = (name: string): string | undefined => {
    const path = one(name);
    if (path === undefined || path === "") return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      complaints.push(`unable to load --${name}: ${fileProblem(path, error)}`);
      return undefined;
    }
  };
  complaints.push(...check(flags), ...fixedFlagProblems(flags));
  const nodePorts = portRange(one("service-node-port-range"));
  const servers = flags.get("etcd-servers") ?? [];
  const modes = flags.get("authorization-mode") ?? ["AlwaysAllow"];
  const port = Number(one("secure-port") ?? "6443");
  const signingKey = file("service-account-signing-key-file");
  const pki = readPKI(flags, file, signingKey, complaints);
  const tokens = file("token-auth-file");
  const limits = timeLimits(flags, complaints);
  const access = await accessOptions(flags, complaints);
  const encryption = await encryptionOf(flags, complaints);
  const admission = admissionFlags(flags, complaints);
  const serviceAccountTokens = tokenLimits(one, complaints);
  const audit = auditorOf(flags, deps, complaints);
  const server = {
    ...endpointsOf(flags, complaints),
    ...gatesOf(flags, complaints),
    serving: servingOptions(flags, complaints),
    externalHostName: one("external-hostname"),
    overload: overloadOf(flags),
    aggregatorRouting: isTrue(one("enable-aggregator-routing"), false),
  };
  if (complaints.length > 0) throw new FlagError(complaints.join("\n"));
  const host = one("bind-address") ?? "0.0.0.0";
  const advertiseAddress = one("advertise-address") ?? (host === "0.0.0.0" ? ownAddress() : host);
  await completeCertificate(pki, flags, { host, advertiseAddress, clock: deps.clock });
  return {
    shutdownDelayMs: parseGoDurationMs(one("shutdown-delay-duration") ?? "0s") ?? 0,
    host,
    port,
    server: {
      ...deps,
      ...server,
      etcd: dial(servers, { tls: etcdTLS(flags) }),
      serviceClusterIPRange: serviceRange(flags),
      advertiseAddress,
      advertisePort: port,
      authorizationMode: access.authorizers?.map(({ type }) => type) ?? modes,
      access,
      ...(encryption === undefined ? {} : { encryption }),
      ...(audit === undefined ? {} : { audit }),
      servingFiles: certificateFiles(flags),
      limits,
      profiling: isTrue(one("profiling"), true),
      serviceAccountIssuer: flags.get("service-account-issuer")![0]!,
      acceptedIssuers: flags.get("service-account-issuer")!.slice(1),
      serviceAccountTokens,
      storageMediaType: (one("storage-media-type") ?? "application/json") as StorageMediaType,
      anonymous: isTrue(one("anonymous-auth"), true),
      runtimeConfig: runtimeConfig(flags.get("runtime-config") ?? []),
      requestHeaderAllowedNames: flags.get("requestheader-allowed-names") ?? [],
      requestHeaders: requestHeaders(flags),
      bootstrapTokens: isTrue(one("enable-bootstrap-token-auth"), false),
      ...(nodePorts === undefined ? {} : { nodePortRange: nodePorts }),
      admission,
      ...(flags.has("api-audiences") ? { apiAudiences: flags.get("api-audiences")! } : {}),
      ...(tokens === undefined ? {} : { tokens: parseTokenFile(tokens) }),
      etcdPrefix: `/${(one("etcd-prefix") ?? "/registry").replace(/^\/+|\/+$/g, "")}`,
      allowPrivileged: isTrue(one("allow-privileged"), false),
      pki,
    },
  };
}

function tokenLimits(
  one: (name: string) => string | undefined,
  complaints: string[],
): NonNullable<ApiServerOptions["serviceAccountTokens"]> {
  const most = parseGoDurationMs(one("service-account-max-token-expiration") ?? "0s") ?? -1;
  if (most !== 0 && (most < 3600_000 || most > 2 ** 32 * 1000)) {
    complaints.push(
      "the service-account-max-token-expiration must be between 1 hour and 2^32 seconds",
    );
  }
  const jwksURI = one("service-account-jwks-uri");
  return {
    extendExpiration: isTrue(one("service-account-extend-token-expiration"), true),
    ...(most > 0 ? { maxExpirationSeconds: Math.floor(most / 1000) } : {}),
    ...(jwksURI === undefined ? {} : { jwksURI }),
  };
}

function requestHeaders(flags: Flags): RequestHeaderNames {
  return {
    usernameHeaders: flags.get("requestheader-username-headers") ?? [],
    uidHeaders: flags.get("requestheader-uid-headers") ?? [],
    groupHeaders: flags.get("requestheader-group-headers") ?? [],
    extraHeaderPrefixes: flags.get("requestheader-extra-headers-prefix") ?? [],
  };
}

/** Those that are followed while the server runs. */
function certificateFiles(flags: Flags): CertificateFiles {
  const one = (name: string): string | undefined => flags.get(name)?.at(-1);
  return {
    servingCert: one("tls-cert-file"),
    servingKey: one("tls-private-key-file"),
    clientCA: one("client-ca-file"),
    requestHeaderCA: one("requestheader-client-ca-file"),
  };
}

/** Go's durations, in upstream's words where they are none. */
function timeLimits(flags: Flags, complaints: string[]): Partial<TimeLimits> {
  const milliseconds = (name: string): number | undefined => {
    const text = flags.get(name)?.at(-1);
    if (text === undefined) return undefined;
    const value = parseGoDurationMs(text);
    if (value !== undefined) return value;
    const why = `time: invalid duration ${JSON.stringify(text)}`;
    throw new FlagError(`invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${why}`);
  };
  const requestTimeoutMs = milliseconds("request-timeout");
  const eventTTLMs = milliseconds("event-ttl");
  const watchMin = flags.get("min-request-timeout")?.at(-1);
  if ((requestTimeoutMs ?? 0) < 0) {
    complaints.push("--request-timeout can not be negative value");
  }
  if (Number(watchMin ?? 0) < 0) complaints.push("--min-request-timeout can not be negative value");
  return {
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    ...(eventTTLMs === undefined ? {} : { eventTTLSeconds: Math.floor(eventTTLMs / 1000) }),
    ...(watchMin === undefined ? {} : { watchTimeoutMinSeconds: Number(watchMin) }),
  };
}

function serviceRange(flags: Flags): string {
  return flags.get("service-cluster-ip-range")?.at(-1) || usualServiceRange;
}

/** "30000-32767", or "30000+2767". */
function portRange(text: string | undefined): PortRange | undefined {
  if (text === undefined || text === "") return undefined;
  const [, from, sign, to] = /^\s*(\d+)\s*(?:([-+])\s*(\d+))?\s*$/.exec(text) ?? [];
  const first = Number(from);
  const last = sign === undefined ? first : sign === "-" ? Number(to) : first + Number(to);
  if (from === undefined || last > 65535 || last < first) {
    const flag = `invalid argument ${JSON.stringify(text)} for "--service-node-port-range" flag`;
    throw new FlagError(`${flag}: unable to parse port range: ${text}`);
  }
  return { first, last };
}

/** Requests at work at once. */
function overloadOf(flags: Flags): NonNullable<ApiServerOptions["overload"]> {
  const one = (name: string): string | undefined => flags.get(name)?.at(-1);
  return {
    readOnlyMax: Number(one("max-requests-inflight") ?? "400"),
    mutatingMax: Number(one("max-mutating-requests-inflight") ?? "200"),
    fairness: isTrue(one("enable-priority-and-fairness"), true),
  };
}

function endpointsOf(
  flags: Flags,
  complaints: string[],
): Pick<ApiServerOptions, "endpointReconciler" | "serverCount"> {
  const given = flags.get("endpoint-reconciler-type")?.at(-1) || "lease";
  const endpointReconciler = endpointReconcilerTypes.find((type) => type === given);
  if (endpointReconciler === undefined) {
    const allowed = `allowed values: ${endpointReconcilerTypes.join(", ")}`;
    complaints.push(`--endpoint-reconciler-type ${JSON.stringify(given)} invalid, ${allowed}`);
  }
  const serverCount = Number(flags.get("apiserver-count")?.at(-1) ?? "1");
  if (serverCount <= 0) {
    const why = `should be a positive number, but value '${serverCount}' provided`;
    complaints.push(`--apiserver-count ${why}`);
  }
  return { serverCount, ...(endpointReconciler === undefined ? {} : { endpointReconciler }) };
}

function gatesOf(flags: Flags, complaints: string[]): Pick<ApiServerOptions, "featureGates"> {
  const featureGates = readFeatureGates(flags.get("feature-gates") ?? []);
  if (typeof featureGates !== "string") return { featureGates };
  complaints.push(featureGates);
  return {};
}

/** What can be told without reading files. */
function check(flags: Flags): string[] {
  const one = (name: string): string | undefined => flags.get(name)?.at(-1);
  const complaints: string[] = [];
  const servers = flags.get("etcd-servers") ?? [];
  if (servers.length === 0) complaints.push("--etcd-servers must be specified");
  const issuer = flags.get("service-account-issuer")?.[0];
  if (issuer === undefined) complaints.push("service-account-issuer is a required flag");
  if (one("service-account-signing-key-file") === undefined) {
    complaints.push(
      "service-account-signing-key-file and service-account-issuer are required flags",
    );
  }
  const modes = flags.get("authorization-mode") ?? ["AlwaysAllow"];
  for (const mode of modes) {
    if (!(authorizationModes as readonly string[]).includes(mode)) {
      complaints.push(`authorization-mode ${JSON.stringify(mode)} is not a valid mode`);
    }
  }
  if (new Set(modes).size < modes.length) {
    const list = modes.map((mode) => JSON.stringify(mode)).join(" ");
    complaints.push(`authorization-mode [${list}] has mode specified more than once`);
  }
  complaints.push(...serviceRangeProblems(serviceRange(flags), one("advertise-address")));
  const mediaType = one("storage-media-type") ?? "application/json";
  if (!mediaTypes.includes(mediaType)) {
    complaints.push(
      `--storage-media-type ${JSON.stringify(mediaType)} invalid, allowed values: ${mediaTypes.join(", ")}`,
    );
  }
  const port = Number(one("secure-port") ?? "6443");
  if (port < 1 || port > 65535) {
    complaints.push(
      `--secure-port ${port} must be between 1 and 65535, inclusive. It cannot be turned off with 0`,
    );
  }
  return complaints;
}

/** What seals values is loaded where they are sealed. */
async function encryptionOf(flags: Flags, complaints: string[]): Promise<Encryption | undefined> {
  const path = flags.get("encryption-provider-config")?.at(-1);
  if (path === undefined) return undefined;
  const reload = isTrue(flags.get("encryption-provider-config-automatic-reload")?.at(-1), false);
  try {
    const { Encryption } = await import("./encryption.ts");
    return new Encryption({ path, reload });
  } catch (error) {
    complaints.push((error as Error).message);
    return undefined;
  }
}

function readPKI(
  flags: Flags,
  file: (name: string) => string | undefined,
  signingKey: string | undefined,
  complaints: string[],
): ApiServerOptions["pki"] {
  const pki: ApiServerOptions["pki"] = {};
  const put = (name: keyof ApiServerOptions["pki"], text: string | undefined): void => {
    if (text !== undefined) Object.assign(pki, { [name]: text });
  };
  put("clientCA", file("client-ca-file"));
  put("servingCert", file("tls-cert-file"));
  put("servingKey", file("tls-private-key-file"));
  put("serviceAccountSigningKey", signingKey);
  put("kubeletClientCert", file("kubelet-client-certificate"));
  put("kubeletClientKey", file("kubelet-client-key"));
  put("kubeletCA", file("kubelet-certificate-authority"));
  put("requestHeaderCA", file("requestheader-client-ca-file"));
  put("proxyClientCert", file("proxy-client-cert-file"));
  put("proxyClientKey", file("proxy-client-key-file"));
  if ((pki.servingCert === undefined) !== (pki.servingKey === undefined)) {
    complaints.push("--tls-cert-file and --tls-private-key-file must be specified together");
  }
  pki.serviceAccountKeys = (flags.get("service-account-key-file") ?? []).flatMap((path) => {
    try {
      return [readFileSync(path, "utf8")];
    } catch (error) {
      complaints.push(`unable to load --service-account-key-file: ${fileProblem(path, error)}`);
      return [];
    }
  });
  return pki;
}

/** Without a certificate it makes one of its own, that only those trust who read it. */
async function completeCertificate(
  pki: ApiServerOptions["pki"],
  flags: Flags,
  { host, advertiseAddress, clock }: { host: string; advertiseAddress: string; clock: Clock },
): Promise<void> {
  if (pki.servingCert !== undefined) return;
  const { selfSignedCertificate } = await import("./self-signed-certificate.ts");
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const services = ["kubernetes.default.svc", "kubernetes.default", "kubernetes"];
  const [range] = parseRanges(serviceRange(flags));
  const made = await selfSignedCertificate({
    directory: flags.get("cert-dir")?.at(-1) ?? "/var/run/kubernetes",
    host: advertiseAddress,
    names: [...services, ...(isEverywhere ? ["localhost"] : [])],
    addresses: [...(range ? [addressIn(range, range.first)] : []), ...(isEverywhere ? [] : [host])],
    clock,
  });
  Object.assign(pki, { servingCert: made.cert, servingKey: made.key });
}

function etcdTLS(flags: Flags): { ca?: string; cert?: string; key?: string } {
  const read = (name: string): string | undefined => {
    const path = flags.get(name)?.at(-1);
    return path === undefined ? undefined : readFileSync(path, "utf8");
  };
  const [ca, cert, key] = [read("etcd-cafile"), read("etcd-certfile"), read("etcd-keyfile")];
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}

function fileProblem(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return `open ${path}: no such file or directory`;
  if (code === "EACCES") return `open ${path}: permission denied`;
  return `open ${path}: ${String(error)}`;
}

function runtimeConfig(entries: readonly string[]): Record<string, boolean> {
  const config: Record<string, boolean> = {};
  for (const entry of entries) {
    const [name = "", value = "true"] = entry.split("=");
    config[name] = value !== "false";
  }
  return config;
}

function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) {
      if (family === "IPv4" && !internal) return address;
    }
  }
  return "127.0.0.1";
}
