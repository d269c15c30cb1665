#!/usr/bin/env node
/**
 * The executable that a container runtime starts for each pod: environment and standard input in,
 * JSON out.
 *
 * It imports as little as it can: the time until the first line runs is part of every pod's start.
 */
import { readFileSync, writeSync } from "node:fs";
import { supportedVersions } from "./core/version.ts";
import { execSync } from "./io/exec.ts";
import { runPlugin } from "./io/plugin.ts";

async function main(): Promise<void> {
  if ((process.env.CNI_COMMAND ?? "") === "") {
    // Somebody ran it by hand.
    process.stderr.write(
      `nanokube cni-bridge\nCNI protocol versions supported: ${supportedVersions.join(", ")}\n`,
    );
    return;
  }
  const stdin = process.env.CNI_COMMAND === "VERSION" ? "" : readFileSync(0, "utf8");
  const { stdout, code } = await runPlugin(process.env, stdin, { exec: execSync });
  writeSync(1, stdout);
  process.exit(code);
}

// No top-level await: the bundle is CommonJS, which starts 3 ms sooner than a module.
void main();
