/**
 * The service account of kube-system that a controller is, when each is a user of its own.
 *
 * Shapes  roles are named after accounts: system:controller:daemon-set-controller is what the
 *         account daemon-set-controller may do
 * Source  cmd/kube-controller-manager/app/*.go, the names given to NewClient
 */
const accounts: Readonly<Record<string, string>> = {
  "certificatesigningrequest-approving-controller": "certificate-controller",
  "certificatesigningrequest-cleaner-controller": "certificate-controller",
  "certificatesigningrequest-signing-controller": "certificate-controller",
  "bootstrap-signer-controller": "bootstrap-signer",
  "daemonset-controller": "daemon-set-controller",
  "endpoints-controller": "endpoint-controller",
  "endpointslice-mirroring-controller": "endpointslicemirroring-controller",
  "garbage-collector-controller": "generic-garbage-collector",
  "horizontal-pod-autoscaler-controller": "horizontal-pod-autoscaler",
  "kube-apiserver-serving-clustertrustbundle-publisher-controller":
    "kube-apiserver-serving-clustertrustbundle-publisher",
  "legacy-serviceaccount-token-cleaner-controller": "legacy-service-account-token-cleaner",
  "node-ipam-controller": "node-controller",
  "node-lifecycle-controller": "node-controller",
  "persistentvolume-attach-detach-controller": "attachdetach-controller",
  "persistentvolume-binder-controller": "persistent-volume-binder",
  "persistentvolume-expander-controller": "expand-controller",
  "persistentvolume-protection-controller": "pv-protection-controller",
  "persistentvolumeclaim-protection-controller": "pvc-protection-controller",
  "pod-garbage-collector-controller": "pod-garbage-collector",
  "podcertificaterequest-cleaner-controller": "podcertificaterequestcleaner",
  "replicationcontroller-controller": "replication-controller",
  "resourceclaim-controller": "resource-claim-controller",
  "root-ca-certificate-publisher-controller": "root-ca-cert-publisher",
  "service-cidr-controller": "service-cidrs-controller",
  "serviceaccount-controller": "service-account-controller",
  "storageversion-garbage-collector-controller": "storage-version-garbage-collector",
  "taint-eviction-controller": "node-controller",
  "token-cleaner-controller": "token-cleaner",
};

export const accountNamespace = "kube-system";

/** Works as the manager itself: it makes the tokens that all others would need. */
export const isRoot = (controller: string): boolean =>
  controller === "serviceaccount-token-controller";

/** Where upstream has no other name, an account has its controller's. */
export const accountOf = (controller: string): string => accounts[controller] ?? controller;
