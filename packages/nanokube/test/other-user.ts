/** The command as a user who is not root, and why that cannot be tried here. */
import { spawnSync } from "node:child_process";
import { cliArgv } from "./cluster.ts";

export const nobody = 65534;
export const asNobody = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];

function noOtherUser(): string | undefined {
  if (process.getuid?.() !== 0) return "not root, so the test below is this user's";
  spawnSync(cliArgv[0]!, [...cliArgv.slice(1), "--help"]); // Makes the bundle, which others may only read.
  const argv = [...asNobody, ...cliArgv, "--help"];
  const probe = spawnSync(argv[0]!, argv.slice(1), { env: { ...process.env, HOME: "/tmp" } });
  return probe.status === 0 ? undefined : "the checkout cannot be read by other users";
}

export const otherReason = noOtherUser();
