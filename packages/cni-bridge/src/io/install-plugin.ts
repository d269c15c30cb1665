/**
 * Puts the plugin where a container runtime looks for it: an executable file in its bin_dir.
 *
 *   DIR/cni-bridge       a shell line that becomes Node; DIR/cni-bridge.cjs is the plugin as one
 *                        file
 *   DIR/loopback         a shell script: containerd asks for this plugin beside every other, to
 *                        bring `lo` up
 *
 * The bundle is made by `npm run bundle`, at publishing; in a source checkout it is made here, in
 * some 30 ms, when esbuild is there. (A single-file executable of Node would be 120 MB a node and
 * start no sooner.)
 *
 * Errors  the file system's own; "not bundled" when there is neither bundle nor esbuild
 * Source  CNI 1.1.0 SPEC.md, section 2; containernetworking/plugins v1.9 plugins/main/loopback
 */
import * as fs from "node:fs";
import { fileURLToPath } from "node:url";

export interface InstallPluginOptions {
  /** Of Node; this process's own when absent. */
  nodePath?: string;
}

/** Every name of the plugin that a configuration may use as its type. */
export const pluginNames = ["cni-bridge", "nanokube-bridge"] as const;

export async function installPlugin(
  dir: string,
  options: InstallPluginOptions = {},
): Promise<void> {
  const nodePath = options.nodePath ?? process.execPath;
  fs.mkdirSync(dir, { recursive: true, mode: 0o755 });
  await writeBundle(`${dir}/cni-bridge.cjs`);
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const start = `exec ${quote(nodePath)} ${quote(`${dir}/cni-bridge.cjs`)}`;
  for (const name of pluginNames) put(`${dir}/${name}`, `#!/bin/sh\n${start}\n`);
  put(`${dir}/loopback`, loopbackScript);
}

/** Written beside and renamed: a runtime may be starting the old file right now. */
function put(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`;
  fs.writeFileSync(temporary, text, { mode: 0o755 });
  fs.renameSync(temporary, path);
}

async function writeBundle(path: string): Promise<void> {
  const source = fileURLToPath(new URL("../main.ts", import.meta.url));
  if (!fs.existsSync(source)) {
    const built = fileURLToPath(new URL("../cni-bridge.cjs", import.meta.url));
    put(path, fs.readFileSync(built, "utf8"));
    return;
  }
  const { build } = await import("esbuild").catch(() => {
    throw new Error("cni-bridge is not bundled: run `npm run bundle -w @nanokube/cni-bridge`");
  });
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    platform: "node",
    conditions: ["nanokube-source"],
    format: "cjs",
    target: "node22",
    minifyWhitespace: true,
    legalComments: "none",
    write: false,
  });
  put(path, outputFiles[0]!.text);
}

/** No process but `ip` is started: containerd runs this once more for each pod. */
const loopbackScript = `#!/bin/sh
# CNI loopback: brings lo up in the container's namespace. Written by nanokube.
conf=
[ "$CNI_COMMAND" = VERSION ] || while IFS= read -r line || [ -n "$line" ]; do
  conf="$conf$line"
done
version=1.0.0
case $conf in *'"cniVersion"'*)
  version=\${conf#*'"cniVersion"'}; version=\${version#*'"'}; version=\${version%%'"'*} ;;
esac
fail() {
  printf '{"cniVersion":"%s","code":%s,"msg":"%s"}\\n' "$version" "$1" "$2"
  exit 1
}
case $CNI_COMMAND in
VERSION)
  echo '{"cniVersion":"1.1.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}' ;;
ADD)
  nsenter --net="$CNI_NETNS" ip link set dev lo up || fail 999 "failed to set lo up"
  dns=; family=
  case $version in 0.*) dns=',"dns":{}'; family='"version":"4",' ;; esac
  printf '{"cniVersion":"%s","interfaces":[{"name":"lo","mac":"00:00:00:00:00:00",' "$version"
  printf '"sandbox":"%s"}],"ips":[{%s"interface":0,' "$CNI_NETNS" "$family"
  printf '"address":"127.0.0.1/8"}]%s}\\n' "$dns" ;;
CHECK)
  nsenter --net="$CNI_NETNS" ip link show dev lo up | grep -q LOOPBACK || fail 999 "lo is down" ;;
DEL | GC | STATUS) ;;
*) fail 4 "unknown CNI_COMMAND: $CNI_COMMAND" ;;
esac
`;
