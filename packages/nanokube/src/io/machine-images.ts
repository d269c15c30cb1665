/**
 * Images built from files that are on the machine already, so that a demo needs no registry.
 *
 * busybox comes from the distribution's static build, pause is a few lines of its shell, node is
 * the very Node binary that runs us with the libraries it is linked to.
 */
import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { run } from "./command.ts";
import type { ImageStore } from "./image-store.ts";
import type { LayerEntry } from "./layer.ts";

export const pauseImage = "registry.k8s.io/pause:3.10";
const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Holds a pod's namespaces and reaps orphans when the pod shares its process namespace. */
const pauseScript = `#!/bin/busybox sh
trap 'exit 0' INT TERM
while :; do
  /bin/busybox sleep 86400 &
  wait $!
done
`;

const account: readonly LayerEntry[] = [
  { type: "directory", path: "etc" },
  {
    type: "file",
    path: "etc/passwd",
    content: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
  },
  { type: "file", path: "etc/group", content: "root:x:0:\nnogroup:x:65534:\n" },
  { type: "directory", path: "tmp", mode: 0o1777 },
  { type: "directory", path: "root", mode: 0o700 },
];

async function busyboxLayer({ busybox }: MachineImageOptions): Promise<LayerEntry[]> {
  const applets = (await run([busybox, "--list-full"])).trim().split("\n");
  const entries: LayerEntry[] = [...account];
  for (const directory of ["bin", "sbin", "usr", "usr/bin", "usr/sbin", "home", "var", "var/www"]) {
    entries.push({ type: "directory", path: directory });
  }
  entries.push({ type: "copy", path: "bin/busybox", mode: 0o755, source: busybox });
  for (const applet of applets) {
    if (basename(applet) === "busybox") continue;
    entries.push({ type: "symlink", path: applet.replace(/^\//, ""), target: "/bin/busybox" });
  }
  return entries;
}

/** The shared libraries a program asks for, by the names under which it asks. */
async function sharedLibraries(program: string): Promise<string[]> {
  const lines = (await run(["ldd", program])).split("\n");
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** Files at the very paths they have here, with the directories above them. */
async function libraryEntries(paths: readonly string[]): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  const made = new Set<string>();
  for (const path of paths) {
    const parts = dirname(path).split("/").filter(Boolean);
    for (let i = 1; i <= parts.length; i += 1) {
      const directory = parts.slice(0, i).join("/");
      if (made.has(directory)) continue;
      made.add(directory);
      entries.push({ type: "directory", path: directory });
    }
    entries.push({ type: "copy", path: path.slice(1), mode: 0o755, source: await realpath(path) });
  }
  return entries;
}

async function nodeLayer(node: string): Promise<LayerEntry[]> {
  const entries = await libraryEntries(await sharedLibraries(node));
  for (const path of ["usr", "usr/local", "usr/local/bin"])
    entries.push({ type: "directory", path });
  entries.push({ type: "copy", path: "usr/local/bin/node", mode: 0o755, source: node });
  return entries;
}

export interface MachineImageOptions {
  store: ImageStore;
  /** A static busybox. */
  busybox: string;
  /** The Node binary. */
  node: string;
  nodeVersion: string;
}

/** pause and busybox: what a cluster needs before its first pod. Names what it had to build. */
export async function buildBaseImages(options: MachineImageOptions): Promise<string[]> {
  const { store, busybox } = options;
  const built: string[] = [];
  if ((await store.find(pauseImage)) === undefined) {
    const layer: LayerEntry[] = [
      { type: "directory", path: "bin" },
      { type: "copy", path: "bin/busybox", mode: 0o755, source: busybox },
      { type: "file", path: "pause", mode: 0o755, content: pauseScript },
    ];
    const names = [pauseImage, "registry.k8s.io/pause:3.10.2"];
    const config = { Entrypoint: ["/pause"], User: "65535:65535", Env: [path] };
    built.push(...(await store.add({ names, layers: [layer], config })));
  }
  if ((await store.find("busybox")) === undefined) {
    const names = ["busybox", "busybox:1", "busybox:1.36", "busybox:1.37", "busybox:stable"];
    const config = { Cmd: ["sh"], Env: [path] };
    built.push(...(await store.add({ names, layers: [await busyboxLayer(options)], config })));
  }
  return built;
}

/** node on top of busybox, so that a shell is there too. */
export async function buildNodeImage(options: MachineImageOptions): Promise<string[]> {
  const { store, node, nodeVersion } = options;
  const version = nodeVersion.replace(/^v/, "");
  const major = version.split(".")[0]!;
  if ((await store.find(`node:${version}`)) !== undefined) return [];
  const names = ["node", `node:${major}`, `node:${version}`, `node:${major}-slim`, "node:lts"];
  const layers = [await busyboxLayer(options), await nodeLayer(node)];
  return store.add({ names, layers, config: { Cmd: ["node"], Env: [path] } });
}
