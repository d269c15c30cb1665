/**
 * Makes each process of a cluster one file, for they start five times as fast from it and hold a
 * third less memory than from a thousand sources (docs/decisions/0005-one-file.md).
 *
 *     dist/bundle/nanokube.cjs          the command
 *     dist/bundle/control-plane.cjs     the processes it starts
 *     dist/bundle/agent.cjs
 *     dist/bundle/etcd.cjs
 *     dist/bundle/generated             the API table they read
 *     dist/cni-bridge.cjs               the network plugin
 *
 * CommonJS: an ES module that imports node:http makes Node load fetch and all that hangs on it.
 * In a checkout all are made again whenever a source is newer. Plain JavaScript: any Node runs it.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = dirname(here);
const bundles = join(here, "dist", "bundle");
export const launcher = join(bundles, "nanokube.cjs");
export const compileCache = join(here, "dist", "compile-cache");

/** A published package has its bundle and no sources. */
export const isCheckout = existsSync(join(here, "src", "main.ts"));

/** Every start in a checkout asks, so it walks by hand: a recursive readdir takes twice as long. */
function newestIn(directory) {
  let newest = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const { name } = entry;
    const path = `${directory}/${name}`;
    if (entry.isDirectory()) newest = Math.max(newest, newestIn(path));
    else if (/(?<!\.test)\.(ts|json)$/.test(name)) {
      newest = Math.max(newest, statSync(path).mtimeMs);
    }
  }
  return newest;
}

/** Packages that stand outside every bundle. */
const outside = ["conformance", "testenv"];

function newestSource() {
  const sources = readdirSync(packages)
    .filter((name) => !outside.includes(name))
    .map((name) => join(packages, name, "src"))
    .filter((source) => existsSync(source));
  const newest = sources.map(newestIn);
  return Math.max(...newest, statSync(fileURLToPath(import.meta.url)).mtimeMs);
}

export function isFresh() {
  if (!isCheckout) return true;
  return existsSync(launcher) && statSync(launcher).mtimeMs > newestSource();
}

/** One character beyond ASCII makes V8 hold a whole file at two bytes a character. */
const ascii = (text) =>
  text.replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/**
 * Libraries that most starts never use. A bundle runs each as soon as a module that imports it is
 * loaded; these are run when something of theirs is first asked for.
 */
const lazyLibraries = ["yaml", "ws", "tar-stream"];

const lazyLibrary =
  "const lazyLibrary=(load)=>{let it;return new Proxy({},{get:(_,name)=>(it??=load())[name]})};";

function loadLazily(text) {
  const modules = `(\\w+)=__commonJS\\(\\{"[^"]*node_modules/(?:${lazyLibraries.join("|")})/`;
  const names = [...text.matchAll(new RegExp(modules, "g"))].map((match) => match[1]);
  if (names.length === 0) return text;
  const imports = new RegExp(`=(__toESM\\((?:${names.join("|")})\\(\\),1\\))`, "g");
  return text.replaceAll(imports, "=lazyLibrary(()=>$1)");
}

/** Whole or not at all: another launcher may be reading. */
function replaceFile({ path, text }) {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, ascii(loadLazily(text)), { mode: 0o755 });
  renameSync(fresh, path);
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
    write: false,
  };
  mkdirSync(bundles, { recursive: true });
  cpSync(join(packages, "api", "src", "generated", "table"), join(bundles, "generated", "table"), {
    recursive: true,
  });
  const plugin = await build({
    ...shared,
    entryPoints: [join(packages, "cni-bridge", "src", "main.ts")],
    format: "cjs",
    outfile: join(here, "dist", "cni-bridge.cjs"),
  });
  const source = (...path) => join(here, "src", ...path);
  const processes = await build({
    ...shared,
    entryPoints: [
      { in: source("control-plane", "main.ts"), out: "control-plane" },
      { in: source("agent", "main.ts"), out: "agent" },
      { in: source("etcd", "main.ts"), out: "etcd" },
      { in: source("main.ts"), out: "nanokube" },
    ],
    format: "cjs",
    outdir: bundles,
    outExtension: { ".js": ".cjs" },
    banner: {
      js: `const nanokubeURL=require("node:url").pathToFileURL(__filename).href;${lazyLibrary}`,
    },
    define: { "globalThis.nanokubeBundled": "true", "import.meta.url": "nanokubeURL" },
    external: ["esbuild"],
  });
  for (const file of [...plugin.outputFiles, ...processes.outputFiles]) replaceFile(file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
