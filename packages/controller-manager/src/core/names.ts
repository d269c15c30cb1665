/**
 * --controllers: "*" is all that are on by default, "foo" is that one, "-foo" is all but that one.
 *
 * Errors  a name that is no controller, in kube-controller-manager's words
 * Source  k8s.io/controller-manager app.IsControllerEnabled;
 *         cmd/kube-controller-manager/app/options
 */
export class UnknownControllerError extends Error {
  constructor(name: string) {
    super(`"${name}" is not in the list of known controllers`);
  }
}

/** Names by which older releases knew a controller, and which flags may still carry. */
export const aliases: Readonly<Record<string, string>> = {
  namespace: "namespace-controller",
  serviceaccount: "serviceaccount-controller",
  "root-ca-cert-publisher": "root-ca-certificate-publisher-controller",
  replicaset: "replicaset-controller",
  deployment: "deployment-controller",
  statefulset: "statefulset-controller",
  daemonset: "daemonset-controller",
  job: "job-controller",
  cronjob: "cronjob-controller",
  endpoint: "endpoints-controller",
  endpointslice: "endpointslice-controller",
  endpointslicemirroring: "endpointslice-mirroring-controller",
  replicationcontroller: "replicationcontroller-controller",
  garbagecollector: "garbage-collector-controller",
  podgc: "pod-garbage-collector-controller",
  nodelifecycle: "node-lifecycle-controller",
  nodeipam: "node-ipam-controller",
  "persistentvolume-binder": "persistentvolume-binder-controller",
  attachdetach: "persistentvolume-attach-detach-controller",
  "pvc-protection": "persistentvolumeclaim-protection-controller",
  "pv-protection": "persistentvolume-protection-controller",
  "ephemeral-volume": "ephemeral-volume-controller",
  "ttl-after-finished": "ttl-after-finished-controller",
  disruption: "disruption-controller",
  resourcequota: "resourcequota-controller",
  "clusterrole-aggregation": "clusterrole-aggregation-controller",
  csrsigning: "certificatesigningrequest-signing-controller",
  csrapproving: "certificatesigningrequest-approving-controller",
  "horizontal-pod-autoscaler": "horizontal-pod-autoscaler-controller",
  bootstrapsigner: "bootstrap-signer-controller",
  tokencleaner: "token-cleaner-controller",
  "serviceaccount-token": "serviceaccount-token-controller",
  "legacy-service-account-token-cleaner": "legacy-serviceaccount-token-cleaner-controller",
  ttl: "ttl-controller",
  "persistentvolume-expander": "persistentvolume-expander-controller",
  csrcleaner: "certificatesigningrequest-cleaner-controller",
};

/** The names that are to run, of those that are known. */
export function pickControllers(
  wanted: readonly string[],
  known: readonly string[],
  offByDefault: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  const on = new Set<string>();
  const off = new Set<string>();
  let star = false;
  for (const entry of wanted) {
    if (entry === "*") {
      star = true;
      continue;
    }
    const bare = entry.startsWith("-") ? entry.slice(1) : entry;
    const name = aliases[bare] ?? bare;
    if (!known.includes(name)) throw new UnknownControllerError(bare);
    (entry.startsWith("-") ? off : on).add(name);
  }
  return new Set(
    known.filter((name) => on.has(name) || (star && !off.has(name) && !offByDefault.has(name))),
  );
}
