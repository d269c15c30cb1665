/**
 * Upstream's csi-sanity against the driver, in a mount namespace of its own.
 *
 * Source  github.com/kubernetes-csi/csi-test v5 cmd/csi-sanity
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";

const program = findUpstream("csi-sanity") ?? "";
const isRoot = process.getuid?.() === 0;
const why = isRoot ? (missingReason("csi-sanity") ?? "") : "needs root";

test.skipIf(why !== "").each(["mount", "block"])(
  "csi-sanity passes with volumes of %s access type",
  async (accessType) => {
    const dir = mkdtempSync(join(tmpdir(), "nk-test-csi-"));
    const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
    const socket = join(dir, "csi.sock");
    // One shell in a private mount namespace holds both; what it mounted goes with it.
    const script = `
      "$1" --conditions=nanokube-source "$2" --endpoint "unix://$3" --nodeid n1 --statedir "$4/state" >"$4/driver.log" 2>&1 &
      driver=$!
      trap 'kill $driver; wait $driver' EXIT
      until [ -S "$3" ]; do kill -0 $driver || exit 9; sleep 0.05; done
      "$5" --ginkgo.no-color --csi.endpoint "$3" --csi.mountdir "$4/mount" --csi.stagingdir "$4/staging" \\
        --csi.testvolumeaccesstype "$6" --csi.testvolumesize 10485760 --csi.testvolumeexpandsize 20971520`;
    const argv = [
      "--mount",
      "--propagation",
      "private",
      "bash",
      "-c",
      script,
      "bash",
      process.execPath,
      main,
      socket,
      dir,
      program,
      accessType,
    ];
    const child = spawn("unshare", argv, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output += chunk;
      });
    const code = await new Promise((resolve) => child.on("close", resolve));
    rmSync(dir, { recursive: true, force: true });
    expect(output.match(/\[FAIL\] .*/g) ?? []).toEqual([]);
    expect(output).toMatch(/SUCCESS! -- \d\d Passed \| 0 Failed/);
    expect(code).toBe(0);
  },
  180_000,
);
