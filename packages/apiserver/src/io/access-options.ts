/**
 * Flags and files that say who may come in: OIDC, webhooks, and the configuration files that take
 * their place.
 *
 * Errors  complaints, one line each, in upstream's words where it has some
 * Source  pkg/kubeapiserver/options/{authentication,authorization}.go
 */
import { readFileSync } from "node:fs";
import { parseGoDurationMs } from "@nanokube/machinery";
import type { AnonymousConfiguration } from "../core/authentication/authentication-document.ts";
import type { JwtIssuer } from "../core/authentication/jwt-issuer.ts";
import { usualAlgorithms } from "../core/authentication/signing-algorithms.ts";
import type { AuthorizerSettings } from "../core/authorization/authorizer-settings.ts";
import type { AuthenticationFile } from "./authentication-file.ts";
import type { Flags } from "./flags.ts";

export interface AccessOptions {
  jwtIssuers: JwtIssuer[];
  anonymous: AnonymousConfiguration | undefined;
  tokenWebhook: { kubeconfig: string; cacheTTLMs: number } | undefined;
  /** In the place of --authorization-mode. */
  authorizers: AuthorizerSettings[] | undefined;
  /** Followed when they change. */
  authenticationFile?: AuthenticationFile | undefined;
  authorizationFile?: string | undefined;
}

type One = (name: string) => string | undefined;

export async function accessOptions(flags: Flags, complaints: string[]): Promise<AccessOptions> {
  const one: One = (name) => flags.get(name)?.at(-1);
  const duration = (name: string, usualMs: number): number => {
    const text = one(name);
    const ms = text === undefined ? usualMs : parseGoDurationMs(text);
    if (ms === undefined) {
      complaints.push(
        `invalid argument ${JSON.stringify(text)} for "--${name}" flag: time: invalid duration ${JSON.stringify(text)}`,
      );
    }
    return ms ?? usualMs;
  };
  const configured = one("authentication-config");
  const issuer = issuerOfFlags(flags, one, complaints);
  if (configured !== undefined && issuer !== undefined) {
    complaints.push("authentication-config file and oidc-* flags are mutually exclusive");
  }
  const file = await authenticationFile(flags, configured, complaints);
  const webhookFile = one("authentication-token-webhook-config-file");
  const cacheTTLMs = duration("authentication-token-webhook-cache-ttl", 120_000);
  return {
    jwtIssuers: file?.configuration.jwt ?? (issuer === undefined ? [] : [issuer]),
    anonymous: file?.configuration.anonymous,
    tokenWebhook: webhookFile === undefined ? undefined : { kubeconfig: webhookFile, cacheTTLMs },
    authorizers: await authorizersOf(flags, one, duration, complaints),
    authenticationFile: file,
    authorizationFile: one("authorization-config"),
  };
}

/** What reads the files is loaded where there are some. */
async function authenticationFile(
  flags: Flags,
  path: string | undefined,
  complaints: string[],
): Promise<AuthenticationFile | undefined> {
  if (path === undefined) return undefined;
  const { readAuthenticationFile } = await import("./authentication-file.ts");
  try {
    const { file, problems } = readAuthenticationFile(
      path,
      flags.get("service-account-issuer") ?? [],
    );
    complaints.push(...problems);
    return file;
  } catch (error) {
    complaints.push(`unable to read ${path}: ${(error as Error).message}`);
    return undefined;
  }
}

async function authorizersOf(
  flags: Flags,
  one: One,
  duration: (name: string, usualMs: number) => number,
  complaints: string[],
): Promise<AuthorizerSettings[] | undefined> {
  const file = one("authorization-config");
  const webhook = one("authorization-webhook-config-file");
  const modes = flags.get("authorization-mode");
  if (file !== undefined) {
    if (modes !== undefined || webhook !== undefined) {
      complaints.push(
        "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined",
      );
    }
    const { readAuthorizationFile } = await import("./authorization-file.ts");
    const { authorizers, problems } = readAuthorizationFile(file);
    complaints.push(...problems);
    return authorizers;
  }
  if (webhook !== undefined && !modes?.includes("Webhook")) {
    complaints.push("cannot specify --authorization-webhook-config-file without mode Webhook");
  }
  if (!modes?.includes("Webhook")) return undefined;
  if (webhook === undefined) {
    complaints.push("authorization-mode Webhook's authorization config file not passed");
    return undefined;
  }
  const settings = {
    name: "default",
    kubeConfigFile: webhook,
    authorizedTTLMs: duration("authorization-webhook-cache-authorized-ttl", 300_000),
    unauthorizedTTLMs: duration("authorization-webhook-cache-unauthorized-ttl", 30_000),
    timeoutMs: 30_000,
    failurePolicy: "NoOpinion" as const,
  };
  return modes.map((type) => (type === "Webhook" ? { type, ...settings } : { type }));
}

function issuerOfFlags(flags: Flags, one: One, complaints: string[]): JwtIssuer | undefined {
  const url = one("oidc-issuer-url") ?? "";
  const client = one("oidc-client-id") ?? "";
  if ((url === "") !== (client === "")) {
    complaints.push(
      "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set",
    );
  }
  if (url === "") return undefined;
  const claim = one("oidc-username-claim") ?? "sub";
  const given = one("oidc-username-prefix");
  const usual = claim === "email" ? "" : `${url}#`;
  const groups = one("oidc-groups-claim") ?? "";
  const ca = one("oidc-ca-file");
  return {
    url,
    discoveryURL: undefined,
    audiences: [client],
    certificateAuthority: ca === undefined ? undefined : readText(ca, "oidc-ca-file", complaints),
    algorithms: flags.get("oidc-signing-algs") ?? usualAlgorithms,
    requiredClaims: (flags.get("oidc-required-claim") ?? []).map((text) => {
      const at = text.indexOf("=");
      return { claim: text.slice(0, at), requiredValue: text.slice(at + 1) };
    }),
    username: { claim, prefix: given === "-" ? "" : (given ?? usual) },
    groups: groups === "" ? undefined : { claim: groups, prefix: one("oidc-groups-prefix") ?? "" },
    uid: undefined,
  };
}

function readText(path: string, flag: string, complaints: string[]): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    complaints.push(`unable to load --${flag}: open ${path}: no such file or directory`);
    return "";
  }
}
