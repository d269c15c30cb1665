/**
 * Ends a program on a Node that is too old for it, in one line. To be imported first of all: what
 * comes after may not even load there.
 */
const least = { major: 22, minor: 18 };

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < least.major || (major === least.major && minor < least.minor)) {
  const wanted = `${least.major}.${least.minor}`;
  process.stderr.write(
    `Error: nanokube needs Node ${wanted} or newer, this is ${process.version}\n`,
  );
  process.exit(1);
}

export {};
