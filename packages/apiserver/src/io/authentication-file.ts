/**
 * --authentication-config: read at start, and again when it changes.
 *
 * Errors  at start a configuration that is wrong ends the server; later the old one stays, also
 *         when an issuer of the new one does not answer
 * Source  pkg/kubeapiserver/options/authentication.go
 */
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { type Log, parseYAML } from "@nanokube/machinery";
import {
  type AuthenticationConfiguration,
  readAuthenticationConfiguration,
} from "../core/authentication/authentication-configuration.ts";
import type { JwtIssuer } from "../core/authentication/jwt-issuer.ts";

const lookEveryMs = 1_000;

export interface AuthenticationFile {
  path: string;
  text: string;
  ownIssuers: readonly string[];
  configuration: AuthenticationConfiguration;
}

export function readAuthenticationFile(
  path: string,
  ownIssuers: readonly string[],
): { file: AuthenticationFile; problems: string[] } {
  const text = readFileSync(path, "utf8");
  const found = readAuthenticationConfiguration(parseYAML(text), ownIssuers);
  const file = { path, text, ownIssuers, configuration: found.configuration };
  return { file, problems: found.problems };
}

/** @param use resolves when the new issuers are believed; rejects when they are not to be */
export function followAuthenticationFile(
  file: AuthenticationFile,
  use: (issuers: readonly JwtIssuer[]) => Promise<void>,
  { log, signal }: { log: Log; signal: AbortSignal },
): void {
  const { path } = file;
  const anonymous = JSON.stringify(file.configuration.anonymous);
  let { text } = file;
  const look = async (): Promise<void> => {
    try {
      const now = readAuthenticationFile(path, file.ownIssuers);
      if (now.file.text === text) return;
      if (now.problems.length > 0) throw new Error(now.problems.join(", "));
      if (JSON.stringify(now.file.configuration.anonymous) !== anonymous) {
        throw new Error("changes to anonymous authentication configuration are not supported");
      }
      await use(now.file.configuration.jwt);
      text = now.file.text;
      log.info({ path }, "reloaded authentication config");
    } catch (error) {
      const why = String(error);
      log.error({ path, error: why }, "authentication config is wrong: the old one stays");
    }
  };
  let turn: Promise<void> = Promise.resolve();
  const onChange = (): void => {
    turn = turn.then(look);
  };
  watchFile(path, { interval: lookEveryMs, persistent: false }, onChange);
  signal.addEventListener("abort", () => unwatchFile(path, onChange), { once: true });
}
