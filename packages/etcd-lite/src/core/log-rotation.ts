/**
 * When the program's log is put aside: --log-rotation-config-json.
 *
 * Shapes  {"maxsize": megabytes, "maxage": days, "maxbackups": n, "localtime": …, "compress": …},
 *         names in any case, what is missing as upstream has it
 * Errors  FlagError in etcd's words for settings that are none
 * Source  etcd v3.6 server/embed/config_logging.go; gopkg.in/natefinch/lumberjack.v2
 */
import type { Rotation } from "@nanokube/machinery/rotating-file";
import { FlagError } from "./flags.ts";

const megabyte = 1024 * 1024;
const dayMs = 24 * 3_600_000;
const usualSizeMegabytes = 100;

const settings = {
  maxsize: "int",
  maxage: "int",
  maxbackups: "int",
  localtime: "bool",
  compress: "bool",
} as const;

/** `text` is the value of --log-rotation-config-json. */
export function readRotation(text: string): Rotation {
  const found: Record<string, number | boolean> = {};
  for (const [key, value] of Object.entries(parse(text))) {
    const name = key.toLowerCase() as keyof typeof settings;
    const kind = settings[name];
    if (kind === undefined || value === null) continue;
    const fits = kind === "int" ? Number.isInteger(value) : typeof value === "boolean";
    if (!fits) throw new FlagError(`invalid log rotation config: ${misfit(value, name, kind)}`);
    found[name] = value as number | boolean;
  }
  const number = (name: string) => Number(found[name] ?? 0);
  return {
    maxSizeBytes: (number("maxsize") || usualSizeMegabytes) * megabyte,
    maxAgeMs: number("maxage") * dayMs,
    maxBackups: number("maxbackups"),
    isLocalTime: found["localtime"] === true,
    isCompressed: found["compress"] === true,
  };
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    throw new FlagError(
      `invalid log rotation config: json: cannot unmarshal ${goKind(value)} into Go value of type embed.logRotationConfig`,
    );
  } catch (error) {
    if (error instanceof FlagError) throw error;
    throw new FlagError(`improperly formatted log rotation config: ${(error as Error).message}`);
  }
}

function misfit(value: unknown, name: string, kind: string): string {
  const what = `cannot unmarshal ${goKind(value)} into Go struct field`;
  return `json: ${what} logRotationConfig.Logger.${name} of type ${kind}`;
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" && !Number.isInteger(value)) return `number ${value}`;
  return typeof value;
}
