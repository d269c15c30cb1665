/**
 * Roles in kube-system and kube-public.
 *
 * Shapes  see parse.ts
 * Source  plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go
 */
export const namespaceRoles = `
kube-public/system:controller:bootstrap-signer
  get,list,watch :configmaps
  update :configmaps#cluster-info
  create,patch,update ,events.k8s.io:events
kube-system/extension-apiserver-authentication-reader
  get,list,watch :configmaps#extension-apiserver-authentication
kube-system/system::leader-locking-kube-controller-manager
  create,get,list,update,watch coordination.k8s.io:leases
  create,get,list,update,watch coordination.k8s.io:leasecandidates
kube-system/system::leader-locking-kube-scheduler
  create,get,list,update,watch coordination.k8s.io:leases
  create,get,list,update,watch coordination.k8s.io:leasecandidates
kube-system/system:controller:bootstrap-signer
  get,list,watch :secrets
kube-system/system:controller:cloud-provider
  create,get,list,watch :configmaps
kube-system/system:controller:token-cleaner
  delete,get,list,watch :secrets
  create,patch,update ,events.k8s.io:events
`;
