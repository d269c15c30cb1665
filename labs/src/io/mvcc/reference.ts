/**
 * The reference is the package's own store: its file and what it imports, copied into a folder,
 * where a mutant may change one text, and driven like a student's.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EnvironmentError } from "../../core/subject.ts";

const storeFile = "mvcc-store.ts";

/** The folder of the package's core; only its sources can be cut up. */
function coreFolder(): string {
  const index = fileURLToPath(import.meta.resolve("@nanokube/etcd-lite"));
  if (index.endsWith(".ts")) return join(dirname(index), "core");
  throw new EnvironmentError("the reference needs the sources: run this inside the repository");
}

export interface Edit {
  /** Of the package's core. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface ReferenceCopy {
  readonly file: string;
  remove(): void;
}

export function copyReference(edits: readonly Edit[] = []): ReferenceCopy {
  const core = coreFolder();
  const folder = mkdtempSync(join(tmpdir(), "labs-reference-"));
  const remove = () => {
    process.off("exit", remove);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", remove);
  try {
    mkdirSync(join(folder, "src"));
    const copied = new Set<string>();
    const copy = (name: string): void => {
      if (copied.has(name)) return;
      copied.add(name);
      cpSync(join(core, name), join(folder, "src", name));
      const text = readFileSync(join(core, name), "utf8");
      for (const [, next] of text.matchAll(/from "\.\/([\w./-]+)"/g)) copy(next!);
    };
    copy(storeFile);
    for (const edit of edits) applyEdit(join(folder, "src", edit.file), edit);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    const file = join(folder, "src", "slot.ts");
    writeFileSync(
      file,
      'import { createMvccStore } from "./mvcc-store.ts";\nexport const create = () => createMvccStore();\n',
    );
    return { file, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The text must stand there exactly once: a mutant that changes nothing proves nothing. */
function applyEdit(path: string, { file, find, replace }: Edit): void {
  const text = readFileSync(path, "utf8");
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`${file} holds the text to replace ${places} times: ${find}`);
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
}
