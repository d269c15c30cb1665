/**
 * Upstream's programs that tests compare with: what each is called, and which pinned module has it.
 *
 * Shapes  pins live in upstream/pins/<module>/{go.mod, go.sum}; they fix every version, and
 *         upstream.json at the root says which release they are of
 */
export interface Program {
  name: string;
  module:
    | "kubernetes"
    | "etcd"
    | "coredns"
    | "containerd"
    | "csi-test"
    | "sample-apiserver"
    | "clients";
  /** Go import path of the command; of a package with tests when `test` is set. */
  path: string;
  test?: boolean;
  /** Left out of the default set: only long runs need it. */
  optional?: boolean;
}

const k8s = "k8s.io/kubernetes";

export const programs: readonly Program[] = [
  { name: "etcd", module: "etcd", path: "go.etcd.io/etcd/server/v3" },
  { name: "etcdctl", module: "etcd", path: "go.etcd.io/etcd/etcdctl/v3" },
  { name: "etcdutl", module: "etcd", path: "go.etcd.io/etcd/etcdutl/v3" },
  { name: "benchmark", module: "etcd", path: "go.etcd.io/etcd/v3/tools/benchmark" },
  { name: "kube-apiserver", module: "kubernetes", path: `${k8s}/cmd/kube-apiserver` },
  { name: "kubectl", module: "kubernetes", path: `${k8s}/cmd/kubectl` },
  { name: "kube-scheduler", module: "kubernetes", path: `${k8s}/cmd/kube-scheduler` },
  {
    name: "kube-controller-manager",
    module: "kubernetes",
    path: `${k8s}/cmd/kube-controller-manager`,
  },
  { name: "kubelet", module: "kubernetes", path: `${k8s}/cmd/kubelet` },
  { name: "kube-proxy", module: "kubernetes", path: `${k8s}/cmd/kube-proxy` },
  { name: "e2e.test", module: "kubernetes", path: `${k8s}/test/e2e`, test: true },
  { name: "ginkgo", module: "kubernetes", path: "github.com/onsi/ginkgo/v2/ginkgo" },
  { name: "agnhost", module: "kubernetes", path: `${k8s}/test/images/agnhost` },
  { name: "nnp", module: "kubernetes", path: `${k8s}/test/images/nonewprivs` },
  {
    name: "csi-sanity",
    module: "csi-test",
    path: "github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity",
  },
  { name: "coredns", module: "coredns", path: "." },
  { name: "sample-apiserver", module: "sample-apiserver", path: "k8s.io/sample-apiserver" },
  // Ours in Go, for upstream's clients are Go: their sources lie beside the pins.
  { name: "apiload", module: "clients", path: "./apiload" },
  { name: "informers", module: "clients", path: "./informers" },
  { name: "controller", module: "clients", path: "./controller" },
  { name: "writers", module: "clients", path: "./writers" },
  ...["containerd", "ctr", "containerd-shim-runc-v2"].map(
    (name): Program => ({
      name,
      module: "containerd",
      path: `github.com/containerd/containerd/v2/cmd/${name}`,
      optional: true,
    }),
  ),
];
