/**
 * --authorization-config: read at start, and again when it changes.
 *
 * Errors  at start a configuration that is wrong ends the server; later the old one stays
 * Source  pkg/kubeapiserver/authorizer/reload.go
 */
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { type Log, parseYAML } from "@nanokube/machinery";
import { readAuthorizers } from "../core/authorization/authorization-configuration.ts";
import type { AuthorizerSettings } from "../core/authorization/authorizer-settings.ts";

const lookEveryMs = 1_000;

export function readAuthorizationFile(path: string): {
  authorizers: AuthorizerSettings[];
  problems: string[];
  text: string;
} {
  try {
    const text = readFileSync(path, "utf8");
    return { ...readAuthorizers(parseYAML(text)), text };
  } catch (error) {
    const why = `unable to read ${path}: ${(error as Error).message}`;
    return { authorizers: [], problems: [why], text: "" };
  }
}

export function followAuthorizationFile(
  path: string,
  use: (authorizers: readonly AuthorizerSettings[]) => void,
  { log, signal }: { log: Log; signal: AbortSignal },
): void {
  let { text } = readAuthorizationFile(path);
  const onChange = (): void => {
    const now = readAuthorizationFile(path);
    if (now.text === text) return;
    text = now.text;
    if (now.problems.length > 0) {
      log.error(
        { path, problems: now.problems },
        "authorization config is wrong: the old one stays",
      );
      return;
    }
    use(now.authorizers);
    log.info({ path }, "reloaded authz config");
  };
  watchFile(path, { interval: lookEveryMs, persistent: false }, onChange);
  signal.addEventListener("abort", () => unwatchFile(path, onChange), { once: true });
}
