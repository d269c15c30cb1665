/**
 * The program's own log, as etcd writes its: one JSON object a line, or a line of columns.
 *
 *     {"level":"info","ts":"2026-11-21T17:46:08.824510Z","msg":"…","key":"value"}     json
 *     2026-11-21T17:46:08.824510Z⇥info⇥…⇥{"key": "value"}                             console
 *
 * Errors  FlagError in etcd's words
 */
import { systemClock } from "@nanokube/machinery";
import { RotatingFile, type Rotation } from "@nanokube/machinery/rotating-file";
import { type DestinationStream, type Logger, pino } from "pino";
import { FlagError, type FlagValues, isTrue } from "../core/flags.ts";
import { readRotation } from "../core/log-rotation.ts";

const levels: readonly string[] = ["debug", "info", "warn", "error", "fatal"];

export function createProgramLog(flags: FlagValues): Logger {
  const level = levelOf(flags["log-level"]);
  const format = formatOf(flags["log-format"]);
  const logger = flags["logger"] ?? "zap";
  if (logger !== "zap") throw new FlagError(`unknown logger option "${logger}"`);
  const dests = outputs(flags["log-outputs"]);
  const rotation = rotationOf(flags, dests);
  const streams = dests.map((output) => {
    const stream =
      rotation !== undefined && typeof output === "string"
        ? forgiving(new RotatingFile(output, rotation, systemClock))
        : pino.destination({ dest: output, mkdir: false });
    return { level: level as "info", stream: format === "json" ? stream : columns(stream) };
  });
  const options = {
    level,
    base: null,
    timestamp: () => `,"ts":"${new Date().toISOString().replace("Z", "000Z")}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const only = streams.length === 1 ? streams[0]!.stream : pino.multistream(streams);
  return pino(options, only);
}

function levelOf(text = "info"): string {
  if (text === "panic" || text === "dpanic") return "fatal";
  if (!levels.includes(text)) throw new FlagError(`unrecognized level: "${text}"`);
  return text;
}

function formatOf(text = "json"): "json" | "console" {
  if (text === "json" || text === "console") return text;
  throw new FlagError(`unknown log format: ${text}, supported values json, console`);
}

/** File descriptors, and files. */
function outputs(text = "default"): (number | string)[] {
  const names = [...new Set(text.split(","))];
  if (names.length > 1 && names.includes("default")) {
    throw new FlagError('multi logoutput for "default" is not supported yet');
  }
  return names.map((name) => {
    if (name === "default" || name === "stderr") return 2;
    return name === "stdout" ? 1 : name;
  });
}

/** Of one file, if that is asked for. */
function rotationOf(flags: FlagValues, dests: readonly (number | string)[]): Rotation | undefined {
  if (!isTrue(flags["enable-log-rotation"])) return undefined;
  const files = dests.filter((dest) => typeof dest === "string").length;
  if (files > 1 || (files === 0 && dests.length === 1)) {
    const needs = "requires a single file path when --log-rotate-config-json is defined";
    throw new FlagError(`--log-outputs ${needs}`);
  }
  return readRotation(flags["log-rotation-config-json"] ?? "{}");
}

/** A line that cannot be written is told of; the member goes on without it. */
function forgiving(file: RotatingFile): DestinationStream {
  return {
    write(line) {
      try {
        file.write(line);
      } catch (error) {
        process.stderr.write(
          `${new Date().toISOString()} write error: ${(error as Error).message}\n`,
        );
      }
    },
  };
}

function columns(stream: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { level, ts, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const pairs = Object.entries(fields).map(
        ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
      );
      const rest = pairs.length === 0 ? [] : [`{${pairs.join(", ")}}`];
      stream.write(`${[ts, level, msg, ...rest].join("\t")}\n`);
    },
  };
}
