/**
 * Audit events as lines in a file, which is put aside when it is full.
 *
 * A line is with the operating system before the request goes on: a killed server loses none.
 *
 * Shapes  path "-" is standard output
 * Units   rotation undefined: the file grows for ever
 * Errors  what cannot be written, a line larger than a file among it, goes to `failed`; a file that
 *         cannot be made at all is thrown
 * Source  apiserver plugin/pkg/audit/log/backend.go; pkg/server/options/audit.go getWriter
 */
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock, KubeObject } from "@nanokube/machinery";
import { RotatingFile, type Rotation } from "@nanokube/machinery/rotating-file";
import type { AuditBackend, AuditFailure } from "../core/audit/backend.ts";

export interface AuditLogOptions {
  readonly path: string;
  readonly rotation: Rotation | undefined;
  lineOf(event: KubeObject): string;
  readonly clock: Clock;
  readonly failed: AuditFailure;
}

export function createAuditLog(options: AuditLogOptions): AuditBackend {
  const { lineOf, failed } = options;
  const output = outputOf(options);
  return {
    process(events) {
      let isWritten = true;
      for (const event of events) {
        try {
          output.write(`${lineOf(event)}\n`);
        } catch (error) {
          isWritten = false;
          failed("log", (error as Error).message, [event]);
        }
      }
      return isWritten;
    },
    close: () => output.close(),
  };
}

type Output = Pick<RotatingFile, "write" | "close">;

function outputOf({ path, rotation, clock }: AuditLogOptions): Output {
  if (path === "-") {
    return { write: (line) => void process.stdout.write(line), close: async () => {} };
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const descriptor = openSync(path, "a", 0o600);
  if (rotation === undefined) {
    return {
      write: (line) => writeFileSync(descriptor, line),
      close: async () => closeSync(descriptor),
    };
  }
  closeSync(descriptor);
  return new RotatingFile(path, rotation, clock);
}
