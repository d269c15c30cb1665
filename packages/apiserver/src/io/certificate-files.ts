/**
 * Files that are renewed while the server runs: looked at again and again, as files in a mounted
 * Secret change by a link that is put in another's place.
 *
 * Source  apiserver pkg/server/dynamiccertificates/dynamic_serving_content.go
 */
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Log } from "@nanokube/machinery";

const lookEveryMs = 5_000;

export interface ServingFiles {
  cert: string;
  key: string;
}

/** Hands over both whenever one of them has changed and both can be read. */
export function followServingFiles(
  files: ServingFiles,
  onChange: (cert: string, key: string) => void,
  { log, signal }: { log: Log; signal: AbortSignal },
): void {
  const paths = [files.cert, files.key];
  const renew = (): void => {
    try {
      onChange(readFileSync(files.cert, "utf8"), readFileSync(files.key, "utf8"));
      log.info({ files: paths }, "serving certificate renewed");
    } catch (error) {
      // Half of a new pair: the other file's change comes as well.
      log.warn({ error: String(error) }, "serving certificate cannot be used yet");
    }
  };
  for (const path of paths) watchFile(path, { interval: lookEveryMs, persistent: false }, renew);
  signal.addEventListener("abort", () => {
    for (const path of paths) unwatchFile(path, renew);
  });
}
