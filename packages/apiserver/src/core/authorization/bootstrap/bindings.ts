/**
 * Who has which bootstrap role. Controllers are left out: role system:controller:X belongs to the
 * service account kube-system/X.
 *
 * Shapes  "[namespace/]binding RoleKind:role Kind:[namespace/]subject …"
 * Source  plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{policy,namespace_policy}.go
 */
export const bindings = `
cluster-admin ClusterRole:cluster-admin Group:system:masters
system:basic-user ClusterRole:system:basic-user Group:system:authenticated
system:discovery ClusterRole:system:discovery Group:system:authenticated
system:kube-controller-manager ClusterRole:system:kube-controller-manager
  User:system:kube-controller-manager
system:kube-dns ClusterRole:system:kube-dns ServiceAccount:kube-system/kube-dns
system:kube-scheduler ClusterRole:system:kube-scheduler User:system:kube-scheduler
system:monitoring ClusterRole:system:monitoring Group:system:monitoring
system:node ClusterRole:system:node
system:node-proxier ClusterRole:system:node-proxier User:system:kube-proxy
system:public-info-viewer ClusterRole:system:public-info-viewer Group:system:authenticated
  Group:system:unauthenticated
system:service-account-issuer-discovery ClusterRole:system:service-account-issuer-discovery
  Group:system:serviceaccounts
system:volume-scheduler ClusterRole:system:volume-scheduler User:system:kube-scheduler
kube-public/system:controller:bootstrap-signer Role:system:controller:bootstrap-signer
  ServiceAccount:kube-system/bootstrap-signer
kube-system/system::extension-apiserver-authentication-reader
  Role:extension-apiserver-authentication-reader User:system:kube-controller-manager
  User:system:kube-scheduler
kube-system/system::leader-locking-kube-controller-manager
  Role:system::leader-locking-kube-controller-manager User:system:kube-controller-manager
  ServiceAccount:kube-system/kube-controller-manager
  ServiceAccount:kube-system/leader-election-controller
kube-system/system::leader-locking-kube-scheduler Role:system::leader-locking-kube-scheduler
  User:system:kube-scheduler ServiceAccount:kube-system/kube-scheduler
kube-system/system:controller:bootstrap-signer Role:system:controller:bootstrap-signer
  ServiceAccount:kube-system/bootstrap-signer
kube-system/system:controller:cloud-provider Role:system:controller:cloud-provider
  ServiceAccount:kube-system/cloud-provider
kube-system/system:controller:token-cleaner Role:system:controller:token-cleaner
  ServiceAccount:kube-system/token-cleaner
`;
