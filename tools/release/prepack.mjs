/**
 * Before a package is packed: it is built, and carries the licence.
 *
 * Run by npm in the package's folder. Plain JavaScript: npm may run it with any Node.
 */
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
if (!existsSync("dist/index.js")) {
  console.error(`${process.cwd()} is not built: run "npm run build" in the root first`);
  process.exit(1);
}
for (const name of ["LICENSE", "NOTICE"]) copyFileSync(join(root, name), name);
