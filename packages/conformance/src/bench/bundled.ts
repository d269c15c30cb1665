/**
 * A package's program as one file, as the launcher carries it (docs/decisions/0005-one-file.md): a
 * benchmark of sources would measure the loading of a thousand files.
 */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const packages = fileURLToPath(new URL("../../../", import.meta.url));

/** The command that runs `packages/NAME`; files go to `directory`. */
export async function bundled(name: string, directory: string): Promise<string[]> {
  const target = join(directory, name);
  mkdirSync(target, { recursive: true });
  const table = join("generated", "table");
  cpSync(join(packages, "api", "src", table), join(target, table), { recursive: true });
  const banner =
    'import{createRequire as benchRequire}from"node:module";' +
    "const require=benchRequire(import.meta.url);";
  await build({
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    conditions: ["nanokube-source"],
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "error",
    entryPoints: [join(packages, name, "src", "main.ts")],
    outfile: join(target, "program.mjs"),
    banner: { js: banner },
    define: { "globalThis.nanokubeBundled": "true" },
  });
  // As the launcher and the packages' own programs do: compiled code is kept between starts.
  writeFileSync(
    join(target, "main.mjs"),
    `import{enableCompileCache,flushCompileCache}from"node:module";
     enableCompileCache(${JSON.stringify(join(target, "compiled"))});
     await import("./program.mjs");
     setTimeout(flushCompileCache,50).unref();`,
  );
  return [process.execPath, join(target, "main.mjs")];
}
