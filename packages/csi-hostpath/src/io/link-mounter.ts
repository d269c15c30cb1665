/**
 * Publishes volumes as symbolic links, for users who may not mount.
 *
 * A link shows the directory as a bind mount does, save that it cannot be read-only and that a
 * program may find out. Which links are ours is written down, since no kernel table has them; a
 * link that somebody removed counts as gone, one that a crash left unwritten is taken over.
 *
 * Shapes  <dataDir>/published.json: [{root, target, readonly}], root being the volume's directory
 * Errors  INVALID_ARGUMENT for raw block volumes and mount flags, which need a real mount
 */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { refuse } from "../core/errors.ts";
import { type Mount, mountsOf } from "../core/mount-table.ts";
import { createQueues } from "./driver.ts";
import type { Mounter } from "./mounter.ts";

const needsRoot = (what: string) =>
  refuse("INVALID_ARGUMENT", `${what} need the rights to mount, which this driver does not have`);

export function createLinkMounter(dataDir: string): Mounter {
  const file = join(dataDir, "published.json");

  async function published(): Promise<Mount[]> {
    const text = await fs.readFile(file, "utf8").catch(() => "[]");
    const there: Mount[] = [];
    for (const link of JSON.parse(text) as Mount[]) {
      const root = await fs.readlink(link.target).catch(() => undefined);
      if (root === link.root) there.push(link);
    }
    return there;
  }

  async function write(links: readonly Mount[]): Promise<void> {
    await fs.writeFile(`${file}.new`, JSON.stringify(links));
    await fs.rename(`${file}.new`, file);
  }

  // One at a time: two volumes published at once must not forget each other.
  const queue = createQueues();

  return {
    mounts: published,
    mountsOfVolume: async ({ id }) => mountsOf(await published(), id, []),
    async bind(root, target, { type, readonly, flags }) {
      if (type === "block") needsRoot("raw block volumes");
      if (flags.length > 0) needsRoot("mount flags");
      await fs.mkdir(dirname(target), { recursive: true });
      await queue(file, async () => {
        const stat = await fs.lstat(target).catch(() => undefined);
        // The kubelet may have made the mount point, or a crash have come before the writing.
        if (stat?.isDirectory()) await fs.rmdir(target);
        else if (stat?.isSymbolicLink()) await fs.unlink(target);
        await fs.symlink(root, target);
        const others = (await published()).filter((link) => link.target !== target);
        await write([...others, { root, target, readonly }]);
      });
    },
    unbind: (target) =>
      queue(file, async () => {
        const stat = await fs.lstat(target).catch(() => undefined);
        if (stat?.isSymbolicLink()) await fs.unlink(target);
        else if (stat?.isDirectory()) await fs.rmdir(target);
        await write(await published());
      }),
    attachLoop: async () => needsRoot("raw block volumes"),
    detachLoops: async () => {},
    growLoops: async () => {},
  };
}
