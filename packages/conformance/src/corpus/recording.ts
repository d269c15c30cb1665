/**
 * Recorded answers on disk: a brotli file a group, a line a case: ["name", answer].
 *
 * Errors  a group that was never recorded has no answers
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { CorpusAnswer } from "./corpus-case.ts";

const folder = fileURLToPath(new URL("../../testdata/corpus/", import.meta.url));
const pathOf = (group: string): string => join(folder, `${group.replaceAll("/", "_")}.jsonl.br`);

export function writeRecording(group: string, answers: ReadonlyMap<string, CorpusAnswer>): void {
  const text = [...answers].map((entry) => `${JSON.stringify(entry)}\n`).join("");
  mkdirSync(folder, { recursive: true });
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 };
  writeFileSync(pathOf(group), brotliCompressSync(text, { params }));
}

export function readRecording(group: string): Map<string, CorpusAnswer> {
  if (!existsSync(pathOf(group))) return new Map();
  const text = brotliDecompressSync(readFileSync(pathOf(group))).toString();
  const lines = text.split("\n").filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line) as [string, CorpusAnswer]));
}
