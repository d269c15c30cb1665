/**
 * What a cluster has that is not its usual own: upstream's programs in the place of ours, and etcds
 * that are processes of their own. As flags of `nanokube up`, and in words for the page.
 *
 * Shapes  "etcd, kube-scheduler", "3 members of etcd-lite, kubelet"
 */
const programs = {
  etcd: ["--etcd", "etcd"],
  scheduler: ["--scheduler", "kube-scheduler"],
  controllerManager: ["--controller-manager", "kube-controller-manager"],
  kubelet: ["--kubelet", "kubelet"],
  kubeProxy: ["--kube-proxy", "kube-proxy"],
} as const;

type Program = keyof typeof programs;

export interface SwapFlags extends Partial<Record<Program, string>> {
  etcdMembers?: number;
}

export function swapsOf(flags: SwapFlags): { args: string[]; text: string | undefined } {
  const args: string[] = [];
  const words: string[] = [];
  const { etcdMembers } = flags;
  const isOwn = (name: Program) => flags[name] === undefined || flags[name] === "own";
  if (etcdMembers !== undefined) {
    args.push("--etcd-members", String(etcdMembers));
    words.push(`${etcdMembers} members of ${isOwn("etcd") ? "etcd-lite" : "etcd"}`);
  }
  for (const name of Object.keys(programs) as Program[]) {
    if (isOwn(name)) continue;
    const [flag, word] = programs[name];
    args.push(flag, flags[name]!);
    if (name !== "etcd" || etcdMembers === undefined) words.push(word);
  }
  return { args, text: words.length === 0 ? undefined : words.join(", ") };
}
