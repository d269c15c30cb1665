#!/usr/bin/env node
/**
 * Starts the launcher from its bundle, making that first when a source is newer (in a checkout only).
 */
import module from "node:module";
import { bundle, compileCache, isFresh, launcher } from "../bundle.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`Error: nanokube needs Node 22.18 or newer, this is ${process.version}\n`);
  process.exit(1);
}
if (!isFresh()) await bundle();
process.env.NODE_COMPILE_CACHE ??= compileCache;
module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
// Not import(): that reads a CommonJS file twice, the first time for its exports.
module.createRequire(import.meta.url)(launcher);
