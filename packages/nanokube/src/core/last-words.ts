/**
 * What a process said before it ended, as one line for people: of a JSON log its last error, else
 * the last line.
 */
import { inPlainWords } from "./failure.ts";

interface LogLine {
  level?: number;
  msg?: string;
  err?: { message?: string };
}

function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}

const errorLevel = 50;

export function lastWordsOf(log: string): string {
  const lines = log.trim().split("\n");
  for (const line of lines.slice(-20).reverse()) {
    const parsed = parse(line);
    if (parsed === undefined || (parsed.level ?? 0) < errorLevel) continue;
    return inPlainWords((parsed.err?.message ?? parsed.msg ?? line).split("\n")[0]!);
  }
  const last = lines.at(-1) ?? "";
  return parse(last)?.msg ?? (last === "" ? "it said nothing" : last);
}
