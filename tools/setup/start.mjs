/** `npm start`: installs what is missing, then runs the demo; Ctrl-C takes everything down again. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { environment, installDependencies, installPrograms, pinnedNode, root } from "./install.mjs";

installDependencies();
installPrograms();

const main = join(root, "packages", "nanokube", "bin", "nanokube.mjs");
const child = spawn(pinnedNode, [main, "demo", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
  env: environment(),
});
// The terminal sends Ctrl-C to both of us; the demo cleans up, and we stay until it has.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal === null ? code : 1));
