/** Copies the table beside the compiled sources: the compiler takes TypeScript along only. */
import { cpSync } from "node:fs";
import { join } from "node:path";

const from = join(import.meta.dirname, "../src/generated/table");
cpSync(from, join(import.meta.dirname, "../dist/generated/table"), { recursive: true });
