/**
 * ClusterRoles of the cluster's own components.
 *
 * Shapes  see parse.ts
 * Source  plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go
 */
export const componentRoles = `
system:certificates.k8s.io:certificatesigningrequests:nodeclient
  create certificates.k8s.io:certificatesigningrequests/nodeclient
system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
  create certificates.k8s.io:certificatesigningrequests/selfnodeclient
system:certificates.k8s.io:kube-apiserver-client-approver
  approve certificates.k8s.io:signers#kubernetes.io/kube-apiserver-client
system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
  approve certificates.k8s.io:signers#kubernetes.io/kube-apiserver-client-kubelet
system:certificates.k8s.io:kubelet-serving-approver
  approve certificates.k8s.io:signers#kubernetes.io/kubelet-serving
system:certificates.k8s.io:legacy-unknown-approver
  approve certificates.k8s.io:signers#kubernetes.io/legacy-unknown
system:kube-aggregator
  get,list,watch :endpoints,services
system:kube-controller-manager
  create,patch,update ,events.k8s.io:events
  create coordination.k8s.io:leases
  get,update coordination.k8s.io:leases#kube-controller-manager
  create :secrets,serviceaccounts
  delete :secrets
  get :configmaps,namespaces,secrets,serviceaccounts
  update :secrets,serviceaccounts
  create authentication.k8s.io:tokenreviews
  create authorization.k8s.io:subjectaccessreviews
  list,watch *:*
  create :serviceaccounts/token
system:kube-dns
  list,watch :endpoints,services
system:kube-scheduler
  create,patch,update ,events.k8s.io:events
  create coordination.k8s.io:leases
  get,list,update,watch coordination.k8s.io:leases#kube-scheduler
  create,delete,deletecollection,get,list,patch,update,watch coordination.k8s.io:leasecandidates
  get,list,watch :nodes
  delete,get,list,watch :pods
  create :bindings,pods/binding
  patch,update :pods/status
  get,list,watch :replicationcontrollers,services
  get,list,watch apps,extensions:replicasets
  get,list,watch apps:statefulsets
  get,list,watch policy:poddisruptionbudgets
  get,list,watch :persistentvolumeclaims,persistentvolumes
  create authentication.k8s.io:tokenreviews
  create authorization.k8s.io:subjectaccessreviews
  get,list,watch storage.k8s.io:csinodes
  get,list,watch storage.k8s.io:volumeattachments
  get,list,watch :namespaces
  get,list,watch storage.k8s.io:csidrivers
  get,list,watch storage.k8s.io:csistoragecapacities
  get,list,watch resource.k8s.io:deviceclasses
  get,list,patch,update,watch resource.k8s.io:resourceclaims
  get,list,patch,update,watch resource.k8s.io:resourceclaims/status
  update :pods/finalizers
  get,list,watch resource.k8s.io:resourceslices
  create,delete resource.k8s.io:resourceclaims
  patch,update resource.k8s.io:resourceclaims/binding
system:kubelet-api-admin
  get,list,watch :nodes
  proxy :nodes
  * :nodes/log,nodes/metrics,nodes/proxy,nodes/stats
  * :nodes/configz,nodes/healthz,nodes/pods
system:node
  create authentication.k8s.io:tokenreviews
  create authorization.k8s.io:localsubjectaccessreviews,subjectaccessreviews
  get,list,watch :services
  create,get,list,watch :nodes
  patch,update :nodes/status
  patch,update :nodes
  create,patch,update ,events.k8s.io:events
  get,list,watch :pods
  create,delete :pods
  patch,update :pods/status
  create :pods/eviction
  get,list,watch :configmaps,secrets
  get :persistentvolumeclaims,persistentvolumes
  get :endpoints
  create,get,list,watch certificates.k8s.io:certificatesigningrequests
  create,delete,get,patch,update coordination.k8s.io:leases
  get storage.k8s.io:volumeattachments
  create :serviceaccounts/token
  get,patch,update :persistentvolumeclaims/status
  get,list,watch storage.k8s.io:csidrivers
  create,delete,get,patch,update storage.k8s.io:csinodes
  get,list,watch node.k8s.io:runtimeclasses
  get resource.k8s.io:resourceclaims
  deletecollection resource.k8s.io:resourceslices
  get :serviceaccounts
system:node-bootstrapper
  create,get,list,watch certificates.k8s.io:certificatesigningrequests
system:node-problem-detector
  get :nodes
  patch :nodes/status
  create,patch,update ,events.k8s.io:events
system:node-proxier
  list,watch :endpoints,services
  get,list,watch :nodes
  create,patch,update ,events.k8s.io:events
  list,watch networking.k8s.io:servicecidrs
  list,watch discovery.k8s.io:endpointslices
system:persistent-volume-provisioner
  create,delete,get,list,watch :persistentvolumes
  get,list,update,watch :persistentvolumeclaims
  get,list,watch storage.k8s.io:storageclasses
  watch :events
  create,patch,update ,events.k8s.io:events
system:volume-scheduler
  get,list,patch,update,watch :persistentvolumes
  get,list,watch storage.k8s.io:storageclasses
  get,list,patch,update,watch :persistentvolumeclaims
`;
