/**
 * Makes the launcher one file, for a cluster's processes start five times as fast from it and hold a
 * third less memory than from a thousand sources (docs/decisions/0005-one-file.md).
 *
 *     dist/bundle/main.mjs        everything; dist/bundle/generated is the API table it reads
 *     dist/cni-bridge.cjs         the network plugin
 *
 * In a checkout it is made again whenever a source is newer. Plain JavaScript: any Node runs it.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = dirname(here);
export const bundlePath = join(here, "dist", "bundle", "main.mjs");
export const compileCache = join(here, "dist", "compile-cache");

/** A published package has its bundle and no sources. */
export const isCheckout = existsSync(join(here, "src", "main.ts"));

function newestSource() {
  let newest = 0;
  for (const name of readdirSync(packages)) {
    const source = join(packages, name, "src");
    if (!existsSync(source)) continue;
    for (const entry of readdirSync(source, { recursive: true })) {
      if (!/\.(ts|json)$/.test(entry)) continue;
      newest = Math.max(newest, statSync(join(source, entry)).mtimeMs);
    }
  }
  return Math.max(newest, statSync(fileURLToPath(import.meta.url)).mtimeMs);
}

export function isFresh() {
  if (!isCheckout) return true;
  return existsSync(bundlePath) && statSync(bundlePath).mtimeMs > newestSource();
}

export async function bundle() {
  const { build } = await import("esbuild");
  const shared = {
    bundle: true,
    platform: "node",
    target: "node22",
    conditions: ["nanokube-source"],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "error",
  };
  mkdirSync(join(here, "dist", "bundle"), { recursive: true });
  cpSync(
    join(packages, "api", "src", "generated", "table"),
    join(here, "dist", "bundle", "generated", "table"),
    { recursive: true },
  );
  await build({
    ...shared,
    entryPoints: [join(packages, "cni-bridge", "src", "main.ts")],
    format: "cjs",
    outfile: join(here, "dist", "cni-bridge.cjs"),
  });
  // Dependencies in CommonJS ask for modules of Node with require, which ES modules lack.
  const require =
    'import{createRequire as nanokubeRequire}from"node:module";' +
    "const require=nanokubeRequire(import.meta.url);";
  await build({
    ...shared,
    entryPoints: [join(here, "src", "main.ts")],
    format: "esm",
    outfile: bundlePath,
    banner: { js: require },
    define: { "globalThis.nanokubeBundled": "true" },
    external: ["esbuild"],
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
