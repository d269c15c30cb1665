/**
 * The last words of a container: the file it wrote, or the end of its log when it failed.
 *
 * Units   4096 bytes of the file; 80 lines, 2048 bytes of the log
 * Source  pkg/kubelet/kuberuntime/kuberuntime_container.go getTerminationMessage
 */
import { open, readFile } from "node:fs/promises";
import type { cri } from "@nanokube/rpc";
import { parseLogLine } from "../core/cri-log.ts";
import type { ContainerFacts } from "../core/runtime-labels.ts";

const FILE_BYTES_MAX = 4096;
const LOG_BYTES_MAX = 2048;
const LOG_LINES_MAX = 80;

async function tailOf(path: string, bytesMax: number): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - bytesMax);
    const buffer = Buffer.alloc(size - start);
    await file.read(buffer, 0, buffer.length, start);
    return buffer;
  } finally {
    await file.close();
  }
}

async function lastLogLines(path: string): Promise<string> {
  let raw: Buffer;
  try {
    raw = await readFile(path);
  } catch (error) {
    return `Error on reading termination message from logs: ${(error as Error).message}`;
  }
  const lines = raw
    .toString("latin1")
    .split("\n")
    .slice(-LOG_LINES_MAX - 1);
  const texts = lines
    .map((line) => parseLogLine(Buffer.from(line, "latin1"))?.content)
    .filter((content) => content !== undefined);
  return Buffer.concat(texts).subarray(-LOG_BYTES_MAX).toString();
}

export async function readTerminationMessage(
  status: cri.ContainerStatus,
  facts: ContainerFacts,
): Promise<string> {
  const fallback =
    facts.terminationMessagePolicy === "FallbackToLogsOnError" &&
    status.exitCode !== 0 &&
    status.reason !== "ContainerCannotRun";
  const path = facts.terminationMessagePath;
  const mount = status.mounts.find((entry) => path !== "" && entry.containerPath === path);
  if (mount !== undefined) {
    try {
      const text = (await tailOf(mount.hostPath, FILE_BYTES_MAX)).toString();
      if (text !== "" || !fallback) return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        return `Error on reading termination log ${mount.hostPath}: ${(error as Error).message}`;
      }
    }
  }
  return fallback ? lastLogLines(status.logPath) : "";
}
