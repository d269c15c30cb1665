/**
 * Flags and files that say who may come in: OIDC, webhooks, and the configuration files that take
 * their place.
 *
 * Errors  complaints, one line each, in upstream's words where it has some
 * Source  pkg/kubeapiserver/options/{authentication,authorization}.go
 */
import { readFileSync } from "node:fs";
import { parseGoDurationMs, parseYAML } from "@nanokube/machinery";
import {
  type AnonymousConfiguration,
  type JwtIssuer,
  readAuthenticationConfiguration,
} from "../core/authentication/authentication-configuration.ts";
import { usualAlgorithms } from "../core/authentication/oidc.ts";
import {
  type AuthorizerSettings,
  readAuthorizationConfiguration,
} from "../core/authorization/authorization-configuration.ts";
import type { Flags } from "./flags.ts";

export interface AccessOptions {
  jwtIssuers: JwtIssuer[];
  anonymous: AnonymousConfiguration | undefined;
  tokenWebhook: { kubeconfig: string; cacheTTLMs: number } | undefined;
  /** In the place of --authorization-mode. */
  authorizers: AuthorizerSettings[] | undefined;
}

type One = (name: string) => string | undefined;

export function accessOptions(flags: Flags, complaints: string[]): AccessOptions {
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
  const file =
    configured === undefined
      ? undefined
      : readAuthenticationConfiguration(readTree(configured, complaints), complaints);
  const webhookFile = one("authentication-token-webhook-config-file");
  const cacheTTLMs = duration("authentication-token-webhook-cache-ttl", 120_000);
  return {
    jwtIssuers: file?.jwt ?? (issuer === undefined ? [] : [issuer]),
    anonymous: file?.anonymous,
    tokenWebhook: webhookFile === undefined ? undefined : { kubeconfig: webhookFile, cacheTTLMs },
    authorizers: authorizersOf(flags, one, duration, complaints),
  };
}

function authorizersOf(
  flags: Flags,
  one: One,
  duration: (name: string, usualMs: number) => number,
  complaints: string[],
): AuthorizerSettings[] | undefined {
  const file = one("authorization-config");
  const webhook = one("authorization-webhook-config-file");
  const modes = flags.get("authorization-mode");
  if (file !== undefined) {
    if (modes !== undefined || webhook !== undefined) {
      complaints.push(
        "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined",
      );
    }
    return readAuthorizationConfiguration(readTree(file, complaints), complaints);
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

function readTree(path: string, complaints: string[]): unknown {
  try {
    return parseYAML(readFileSync(path, "utf8"));
  } catch (error) {
    complaints.push(`unable to read ${path}: ${(error as Error).message}`);
    return undefined;
  }
}
