/**
 * A containerd of its own, in its own mount, network and process namespaces: nothing of the machine
 * is touched, and ending process 1 ends everything.
 *
 * Needs root, containerd, runc, unshare and a static busybox; says which is missing.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "nanokube/programs";

export interface Containerd {
  socket: string;
  dir: string;
  stop(): Promise<void>;
}

const TOOLS = ["containerd", "runc", "unshare", "busybox"];

/** Why this machine can't run one; undefined: it can. */
export function missingForContainerd(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root";
  const absent = TOOLS.filter((name) => findProgram(name) === undefined);
  return absent.length === 0 ? undefined : `needs ${absent.join(", ")}`;
}

const sha = (data: Buffer) => createHash("sha256").update(data).digest("hex");

/** An OCI image of busybox alone, as a tarball that `ctr images import` takes. */
function writeImage(dir: string, names: string[], config: object): string {
  const root = join(dir, "layer");
  rmSync(root, { recursive: true, force: true });
  for (const part of ["bin", "tmp", "etc", "root", "proc", "sys", "dev"]) {
    mkdirSync(join(root, part), { recursive: true });
  }
  copyFileSync(findProgram("busybox")!, join(root, "bin/busybox"));
  execFileSync("chmod", ["755", join(root, "bin/busybox")]);
  execFileSync("chroot", [root, "/bin/busybox", "--install", "-s", "/bin"]);
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\n");
  const layout = join(dir, "oci");
  rmSync(layout, { recursive: true, force: true });
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const layer = execFileSync("tar", ["-C", root, "--sort=name", "--mtime=@0", "-cf", "-", "."], {
    maxBuffer: 1 << 28,
  });
  const blob = (data: Buffer, mediaType: string) => {
    const digest = `sha256:${sha(data)}`;
    writeFileSync(join(layout, "blobs/sha256", sha(data)), data);
    return { mediaType, digest, size: data.length };
  };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const layerRef = blob(layer, "application/vnd.oci.image.layer.v1.tar");
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const platform = { architecture, os: "linux" };
  const image = { ...platform, config, rootfs: { type: "layers", diff_ids: [layerRef.digest] } };
  const configRef = blob(json(image), "application/vnd.oci.image.config.v1+json");
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: configRef,
    layers: [layerRef],
  };
  const manifestRef = blob(json(manifest), manifest.mediaType);
  const manifests = names.map((name) => ({
    ...manifestRef,
    platform,
    annotations: { "io.containerd.image.name": name },
  }));
  writeFileSync(join(layout, "index.json"), json({ schemaVersion: 2, manifests }));
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const out = join(dir, `${sha(Buffer.from(names.join()))}.tar`);
  execFileSync("tar", ["-C", layout, "-cf", out, "."]);
  return out;
}

const CONFIG = (dir: string) => `version = 2
root = "${dir}/root"
state = "${dir}/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${dir}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${dir}/cni"
`;

/** sleep as process 1 reaps nobody, so a shell that waits stands there. */
const BOOT = `
set -e
dir=$1
mkdir -p "$dir/cgroup"
mount --rbind /sys/fs/cgroup "$dir/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$dir/cgroup" /sys/fs/cgroup
for own in /run/netns /var/lib/cni; do mkdir -p "$own"; mount -t tmpfs tmpfs "$own"; done
mount --make-rshared /
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
containerd --config "$dir/config.toml" > "$dir/containerd.log" 2>&1 &
trap 'exit 0' TERM
while :; do wait || true; sleep 1; done
`;

const CNI = {
  cniVersion: "1.0.0",
  name: "test",
  plugins: [
    {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.244.99.0/24" }]] },
    },
  ],
};

/** Commands in the namespaces. */
export const inside = (child: ChildProcess, argv: string[]): string[] => {
  const pid = child.pid ?? 0;
  const children = execFileSync("cat", [`/proc/${pid}/task/${pid}/children`]).toString();
  return ["nsenter", "-t", children.split(" ")[0]!, "--mount", "--net", "--pid", ...argv];
};

export async function startContainerd(): Promise<
  Containerd & { inside(argv: string[]): string[] }
> {
  const dir = mkdtempSync(join(tmpdir(), "nk-containerd-"));
  mkdirSync(join(dir, "cni"), { recursive: true });
  writeFileSync(join(dir, "config.toml"), CONFIG(dir));
  writeFileSync(join(dir, "cni", "10-test.conflist"), JSON.stringify(CNI));
  const argv = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const child = spawn("unshare", [...argv, "/bin/sh", "-c", BOOT, "sh", dir], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    for (let tries = 0; ; tries += 1) {
      try {
        rmSync(dir, { recursive: true, force: true });
        return;
      } catch (error) {
        if (tries > 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  try {
    const socket = join(dir, "containerd.sock");
    const ctr = (...args: string[]) => {
      const [command = "", ...rest] = inside(child, ["ctr", "-a", socket, "-n", "k8s.io", ...args]);
      execFileSync(command, rest, { stdio: "ignore", timeout: 30_000 });
    };
    for (let tries = 0; ; tries += 1) {
      try {
        ctr("version");
        break;
      } catch (error) {
        if (tries > 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const env = ["PATH=/bin"];
    ctr(
      "images",
      "import",
      writeImage(dir, ["docker.io/library/busybox:latest"], { Cmd: ["sh"], Env: env }),
    );
    const pause = { Entrypoint: ["/bin/busybox", "tail", "-f", "/dev/null"], Env: env };
    ctr("images", "import", writeImage(dir, ["registry.k8s.io/pause:3.10"], pause));
    return { socket, dir, stop, inside: (args) => inside(child, args) };
  } catch (error) {
    await stop();
    throw error;
  }
}
