/**
 * An operator of fabric8's in Java, compiled beside upstream's programs.
 *
 * Shapes  <cache>/../java/{lib, classes}: the libraries that upstream/pins/java/pom.xml names, by
 *         Maven, and what javac made of the source beside it
 */
import { createHash } from "node:crypto";
import { access, cp, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { cacheDirectory } from "./cache.ts";

const pins = fileURLToPath(new URL("../../upstream/pins/java/", import.meta.url));
const name = "Fabric8Operator";

const directory = () => join(cacheDirectory(), "..", "java");

async function stamp(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["pom.xml", `${name}.java`]) hash.update(await readFile(join(pins, file)));
  return join(directory(), `made-of-${hash.digest("hex")}`);
}

/** The command that runs it; undefined when `npm run upstream` has not made it. */
export async function fabric8Operator(): Promise<string[] | undefined> {
  const isThere = await access(await stamp()).then(
    () => true,
    () => false,
  );
  const path = [join(directory(), "classes"), join(directory(), "lib", "*")].join(":");
  // Two cores have other work: a program of seconds is not worth the best compiler.
  return isThere ? ["java", "-XX:TieredStopAtLevel=1", "-cp", path, name] : undefined;
}

/** Whether this machine could have made it: CI must not overlook that it failed. */
export async function hasJava(): Promise<boolean> {
  const found = await Promise.all(
    ["mvn", "javac"].map((program) => execa(program, ["-version"], { reject: false })),
  );
  return found.every(({ failed }) => !failed);
}

/** False where there is no Maven or no compiler. */
export async function buildFabric8Operator(): Promise<boolean> {
  if ((await fabric8Operator()) !== undefined) return true;
  if (!(await hasJava())) return false;
  await rm(directory(), { recursive: true, force: true });
  await mkdir(join(directory(), "classes"), { recursive: true });
  const lib = join(directory(), "lib");
  // A copy, so that Maven never writes beside the pins.
  const pom = join(directory(), "pom.xml");
  await cp(join(pins, "pom.xml"), pom);
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${lib}`];
  await execa("mvn", ["--quiet", "--batch-mode", "--file", pom, ...goal]);
  const flags = ["-nowarn", "-cp", join(lib, "*"), "-d", join(directory(), "classes")];
  await execa("javac", [...flags, join(pins, `${name}.java`)]);
  await execa("touch", [await stamp()]);
  return true;
}
