/**
 * containerd's configuration for one node.
 *
 * Shapes  TOML, configuration version 2 (read by containerd 1.6 and 2.x)
 * Source  containerd docs/cri/config.md
 */
export interface ContainerdConfig {
  sandboxImage: string;
  cniBinDir: string;
  certsDir: string;
  /** Whether the machine lets us lower a process's oom_score_adj (CAP_SYS_RESOURCE). */
  mayLowerOOMScore: boolean;
}

export function formatContainerdConfig(config: ContainerdConfig): string {
  const text = (value: string) => JSON.stringify(value);
  const cri = '[plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
  "io.containerd.internal.v1.opt",
]

${cri}]
  sandbox_image = ${text(config.sandboxImage)}
  max_container_log_line_size = -1
  restrict_oom_score_adj = ${!config.mayLowerOOMScore}
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

${cri}.cni]
  bin_dir = ${text(config.cniBinDir)}
  conf_dir = "/etc/cni/net.d"

${cri}.registry]
  config_path = ${text(config.certsDir)}

${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

${cri}.containerd.runtimes.test-handler]
  runtime_type = "io.containerd.runc.v2"
`;
}
