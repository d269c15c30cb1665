/**
 * Files that are renewed while the server runs: looked at again and again, as files in a mounted
 * Secret change by a link that is put in another's place.
 *
 * Source  apiserver pkg/server/dynamiccertificates/dynamic_serving_content.go
 */
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Log } from "@nanokube/machinery";
import type { ApiServerPKI } from "./api-server.ts";

const lookEveryMs = 1_000;

/** Where parts of the PKI came from. */
export type CertificateFiles = {
  readonly [Name in "servingCert" | "servingKey" | "clientCA" | "requestHeaderCA"]?:
    | string
    | undefined;
};

/** Hands over all of them whenever one has changed and all can be read. */
export function followFiles(
  files: CertificateFiles,
  onChange: (read: Partial<ApiServerPKI>) => void,
  { log, signal }: { log: Log; signal: AbortSignal },
): void {
  const named = Object.entries(files).filter(([, path]) => path !== undefined);
  const renew = (): void => {
    try {
      const read = named.map(([name, path]) => [name, readFileSync(path!, "utf8")]);
      onChange(Object.fromEntries(read) as Partial<ApiServerPKI>);
    } catch (error) {
      log.warn({ error: String(error) }, "certificates cannot be read now");
    }
  };
  for (const [, path] of named) {
    watchFile(path!, { interval: lookEveryMs, persistent: false }, renew);
  }
  signal.addEventListener("abort", () => {
    for (const [, path] of named) unwatchFile(path!, renew);
  });
}
