/** core/v1, generated: do not edit. */
import type { Condition as meta_v1_Condition, LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta, OwnerReference as meta_v1_OwnerReference } from "../meta/v1.ts";
export type AWSElasticBlockStoreVolumeSource = {
  volumeID?: string;
  fsType?: string;
  partition?: number;
  readOnly?: boolean;
};
export type Affinity = {
  nodeAffinity?: NodeAffinity;
  podAffinity?: PodAffinity;
  podAntiAffinity?: PodAntiAffinity;
};
export type AppArmorProfile = {
  type?: "Localhost" | "RuntimeDefault" | "Unconfined" | (string & {});
  localhostProfile?: string;
};
export type AttachedVolume = {
  name?: string;
  devicePath?: string;
};
export type AvoidPods = {
  preferAvoidPods?: PreferAvoidPodsEntry[];
};
export type AzureDiskVolumeSource = {
  diskName?: string;
  diskURI?: string;
  cachingMode?: "None" | "ReadOnly" | "ReadWrite" | (string & {});
  fsType?: string;
  readOnly?: boolean;
  kind?: "Dedicated" | "Managed" | "Shared" | (string & {});
};
export type AzureFilePersistentVolumeSource = {
  secretName?: string;
  shareName?: string;
  readOnly?: boolean;
  secretNamespace?: string;
};
export type AzureFileVolumeSource = {
  secretName?: string;
  shareName?: string;
  readOnly?: boolean;
};
/** v1 Binding */
export type Binding = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  target?: ObjectReference;
};
export type CSIPersistentVolumeSource = {
  driver?: string;
  volumeHandle?: string;
  readOnly?: boolean;
  fsType?: string;
  volumeAttributes?: { [key: string]: string };
  controllerPublishSecretRef?: SecretReference;
  nodeStageSecretRef?: SecretReference;
  nodePublishSecretRef?: SecretReference;
  controllerExpandSecretRef?: SecretReference;
  nodeExpandSecretRef?: SecretReference;
};
export type CSIVolumeSource = {
  driver?: string;
  readOnly?: boolean;
  fsType?: string;
  volumeAttributes?: { [key: string]: string };
  nodePublishSecretRef?: LocalObjectReference;
};
export type Capabilities = {
  add?: string[];
  drop?: string[];
};
export type CephFSPersistentVolumeSource = {
  monitors?: string[];
  path?: string;
  user?: string;
  secretFile?: string;
  secretRef?: SecretReference;
  readOnly?: boolean;
};
export type CephFSVolumeSource = {
  monitors?: string[];
  path?: string;
  user?: string;
  secretFile?: string;
  secretRef?: LocalObjectReference;
  readOnly?: boolean;
};
export type CinderPersistentVolumeSource = {
  volumeID?: string;
  fsType?: string;
  readOnly?: boolean;
  secretRef?: SecretReference;
};
export type CinderVolumeSource = {
  volumeID?: string;
  fsType?: string;
  readOnly?: boolean;
  secretRef?: LocalObjectReference;
};
export type ClientIPConfig = {
  timeoutSeconds?: number;
};
export type ClusterTrustBundleProjection = {
  name?: string;
  signerName?: string;
  labelSelector?: meta_v1_LabelSelector;
  optional?: boolean;
  path?: string;
};
export type ComponentCondition = {
  type?: string;
  status?: string;
  message?: string;
  error?: string;
};
/** v1 ComponentStatus */
export type ComponentStatus = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  conditions?: ComponentCondition[];
};
/** v1 ComponentStatusList */
export type ComponentStatusList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ComponentStatus[];
};
/** v1 ConfigMap */
export type ConfigMap = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  immutable?: boolean;
  data?: { [key: string]: string };
  binaryData?: { [key: string]: string };
};
export type ConfigMapEnvSource = LocalObjectReference & {
  optional?: boolean;
};
export type ConfigMapKeySelector = LocalObjectReference & {
  key?: string;
  optional?: boolean;
};
/** v1 ConfigMapList */
export type ConfigMapList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ConfigMap[];
};
export type ConfigMapNodeConfigSource = {
  namespace?: string;
  name?: string;
  uid?: string;
  resourceVersion?: string;
  kubeletConfigKey?: string;
};
export type ConfigMapProjection = LocalObjectReference & {
  items?: KeyToPath[];
  optional?: boolean;
};
export type ConfigMapVolumeSource = LocalObjectReference & {
  items?: KeyToPath[];
  defaultMode?: number;
  optional?: boolean;
};
export type Container = {
  name?: string;
  image?: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  ports?: ContainerPort[];
  envFrom?: EnvFromSource[];
  env?: EnvVar[];
  resources?: ResourceRequirements;
  resizePolicy?: ContainerResizePolicy[];
  restartPolicy?: string;
  restartPolicyRules?: ContainerRestartRule[];
  volumeMounts?: VolumeMount[];
  volumeDevices?: VolumeDevice[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  lifecycle?: Lifecycle;
  terminationMessagePath?: string;
  terminationMessagePolicy?: "FallbackToLogsOnError" | "File" | (string & {});
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never" | (string & {});
  securityContext?: SecurityContext;
  stdin?: boolean;
  stdinOnce?: boolean;
  tty?: boolean;
};
export type ContainerExtendedResourceRequest = {
  containerName?: string;
  resourceName?: string;
  requestName?: string;
};
export type ContainerImage = {
  names?: string[];
  sizeBytes?: number;
};
export type ContainerPort = {
  name?: string;
  hostPort?: number;
  containerPort?: number;
  protocol?: "SCTP" | "TCP" | "UDP" | (string & {});
  hostIP?: string;
};
export type ContainerResizePolicy = {
  resourceName?: string;
  restartPolicy?: string;
};
export type ContainerRestartRule = {
  action?: string;
  exitCodes?: ContainerRestartRuleOnExitCodes;
};
export type ContainerRestartRuleOnExitCodes = {
  operator?: string;
  values?: number[];
};
export type ContainerState = {
  waiting?: ContainerStateWaiting;
  running?: ContainerStateRunning;
  terminated?: ContainerStateTerminated;
};
export type ContainerStateRunning = {
  startedAt?: string;
};
export type ContainerStateTerminated = {
  exitCode?: number;
  signal?: number;
  reason?: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  containerID?: string;
};
export type ContainerStateWaiting = {
  reason?: string;
  message?: string;
};
export type ContainerStatus = {
  name?: string;
  state?: ContainerState;
  lastState?: ContainerState;
  ready?: boolean;
  restartCount?: number;
  image?: string;
  imageID?: string;
  containerID?: string;
  started?: boolean;
  allocatedResources?: { [key: string]: string };
  resources?: ResourceRequirements;
  volumeMounts?: VolumeMountStatus[];
  user?: ContainerUser;
  allocatedResourcesStatus?: ResourceStatus[];
  stopSignal?: "SIGABRT" | "SIGALRM" | "SIGBUS" | "SIGCHLD" | "SIGCLD" | "SIGCONT" | "SIGFPE" | "SIGHUP" | "SIGILL" | "SIGINT" | "SIGIO" | "SIGIOT" | "SIGKILL" | "SIGPIPE" | "SIGPOLL" | "SIGPROF" | "SIGPWR" | "SIGQUIT" | "SIGRTMAX" | "SIGRTMAX-1" | "SIGRTMAX-10" | "SIGRTMAX-11" | "SIGRTMAX-12" | "SIGRTMAX-13" | "SIGRTMAX-14" | "SIGRTMAX-2" | "SIGRTMAX-3" | "SIGRTMAX-4" | "SIGRTMAX-5" | "SIGRTMAX-6" | "SIGRTMAX-7" | "SIGRTMAX-8" | "SIGRTMAX-9" | "SIGRTMIN" | "SIGRTMIN+1" | "SIGRTMIN+10" | "SIGRTMIN+11" | "SIGRTMIN+12" | "SIGRTMIN+13" | "SIGRTMIN+14" | "SIGRTMIN+15" | "SIGRTMIN+2" | "SIGRTMIN+3" | "SIGRTMIN+4" | "SIGRTMIN+5" | "SIGRTMIN+6" | "SIGRTMIN+7" | "SIGRTMIN+8" | "SIGRTMIN+9" | "SIGSEGV" | "SIGSTKFLT" | "SIGSTOP" | "SIGSYS" | "SIGTERM" | "SIGTRAP" | "SIGTSTP" | "SIGTTIN" | "SIGTTOU" | "SIGURG" | "SIGUSR1" | "SIGUSR2" | "SIGVTALRM" | "SIGWINCH" | "SIGXCPU" | "SIGXFSZ" | (string & {});
};
export type ContainerUser = {
  linux?: LinuxContainerUser;
};
export type DaemonEndpoint = {
  Port?: number;
};
export type DownwardAPIProjection = {
  items?: DownwardAPIVolumeFile[];
};
export type DownwardAPIVolumeFile = {
  path?: string;
  fieldRef?: ObjectFieldSelector;
  resourceFieldRef?: ResourceFieldSelector;
  mode?: number;
};
export type DownwardAPIVolumeSource = {
  items?: DownwardAPIVolumeFile[];
  defaultMode?: number;
};
export type EmptyDirVolumeSource = {
  medium?: string;
  sizeLimit?: string;
};
export type EndpointAddress = {
  ip?: string;
  hostname?: string;
  nodeName?: string;
  targetRef?: ObjectReference;
};
export type EndpointPort = {
  name?: string;
  port?: number;
  protocol?: "SCTP" | "TCP" | "UDP" | (string & {});
  appProtocol?: string;
};
export type EndpointSubset = {
  addresses?: EndpointAddress[];
  notReadyAddresses?: EndpointAddress[];
  ports?: EndpointPort[];
};
/** v1 Endpoints */
export type Endpoints = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  subsets?: EndpointSubset[];
};
/** v1 EndpointsList */
export type EndpointsList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Endpoints[];
};
export type EnvFromSource = {
  prefix?: string;
  configMapRef?: ConfigMapEnvSource;
  secretRef?: SecretEnvSource;
};
export type EnvVar = {
  name?: string;
  value?: string;
  valueFrom?: EnvVarSource;
};
export type EnvVarSource = {
  fieldRef?: ObjectFieldSelector;
  resourceFieldRef?: ResourceFieldSelector;
  configMapKeyRef?: ConfigMapKeySelector;
  secretKeyRef?: SecretKeySelector;
  fileKeyRef?: FileKeySelector;
};
export type EphemeralContainer = EphemeralContainerCommon & {
  targetContainerName?: string;
};
export type EphemeralContainerCommon = {
  name?: string;
  image?: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  ports?: ContainerPort[];
  envFrom?: EnvFromSource[];
  env?: EnvVar[];
  resources?: ResourceRequirements;
  resizePolicy?: ContainerResizePolicy[];
  restartPolicy?: string;
  restartPolicyRules?: ContainerRestartRule[];
  volumeMounts?: VolumeMount[];
  volumeDevices?: VolumeDevice[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  lifecycle?: Lifecycle;
  terminationMessagePath?: string;
  terminationMessagePolicy?: "FallbackToLogsOnError" | "File" | (string & {});
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never" | (string & {});
  securityContext?: SecurityContext;
  stdin?: boolean;
  stdinOnce?: boolean;
  tty?: boolean;
};
export type EphemeralVolumeSource = {
  volumeClaimTemplate?: PersistentVolumeClaimTemplate;
};
/** v1 Event */
export type Event = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  involvedObject?: ObjectReference;
  reason?: string;
  message?: string;
  source?: EventSource;
  firstTimestamp?: string;
  lastTimestamp?: string;
  count?: number;
  type?: string;
  eventTime?: string;
  series?: EventSeries;
  action?: string;
  related?: ObjectReference;
  reportingComponent?: string;
  reportingInstance?: string;
};
/** v1 EventList */
export type EventList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Event[];
};
export type EventSeries = {
  count?: number;
  lastObservedTime?: string;
};
export type EventSource = {
  component?: string;
  host?: string;
};
export type ExecAction = {
  command?: string[];
};
export type FCVolumeSource = {
  targetWWNs?: string[];
  lun?: number;
  fsType?: string;
  readOnly?: boolean;
  wwids?: string[];
};
export type FileKeySelector = {
  volumeName?: string;
  path?: string;
  key?: string;
  optional?: boolean;
};
export type FlexPersistentVolumeSource = {
  driver?: string;
  fsType?: string;
  secretRef?: SecretReference;
  readOnly?: boolean;
  options?: { [key: string]: string };
};
export type FlexVolumeSource = {
  driver?: string;
  fsType?: string;
  secretRef?: LocalObjectReference;
  readOnly?: boolean;
  options?: { [key: string]: string };
};
export type FlockerVolumeSource = {
  datasetName?: string;
  datasetUUID?: string;
};
export type GCEPersistentDiskVolumeSource = {
  pdName?: string;
  fsType?: string;
  partition?: number;
  readOnly?: boolean;
};
export type GRPCAction = {
  port?: number;
  service?: string;
};
export type GitRepoVolumeSource = {
  repository?: string;
  revision?: string;
  directory?: string;
};
export type GlusterfsPersistentVolumeSource = {
  endpoints?: string;
  path?: string;
  readOnly?: boolean;
  endpointsNamespace?: string;
};
export type GlusterfsVolumeSource = {
  endpoints?: string;
  path?: string;
  readOnly?: boolean;
};
export type HTTPGetAction = {
  path?: string;
  port?: number | string;
  host?: string;
  scheme?: "HTTP" | "HTTPS" | (string & {});
  httpHeaders?: HTTPHeader[];
};
export type HTTPHeader = {
  name?: string;
  value?: string;
};
export type HostAlias = {
  ip?: string;
  hostnames?: string[];
};
export type HostIP = {
  ip?: string;
};
export type HostPathVolumeSource = {
  path?: string;
  type?: "" | "BlockDevice" | "CharDevice" | "Directory" | "DirectoryOrCreate" | "File" | "FileOrCreate" | "Socket" | (string & {});
};
export type ISCSIPersistentVolumeSource = {
  targetPortal?: string;
  iqn?: string;
  lun?: number;
  iscsiInterface?: string;
  fsType?: string;
  readOnly?: boolean;
  portals?: string[];
  chapAuthDiscovery?: boolean;
  chapAuthSession?: boolean;
  secretRef?: SecretReference;
  initiatorName?: string;
};
export type ISCSIVolumeSource = {
  targetPortal?: string;
  iqn?: string;
  lun?: number;
  iscsiInterface?: string;
  fsType?: string;
  readOnly?: boolean;
  portals?: string[];
  chapAuthDiscovery?: boolean;
  chapAuthSession?: boolean;
  secretRef?: LocalObjectReference;
  initiatorName?: string;
};
export type ImageVolumeSource = {
  reference?: string;
  pullPolicy?: "Always" | "IfNotPresent" | "Never" | (string & {});
};
export type ImageVolumeStatus = {
  imageRef?: string;
};
export type KeyToPath = {
  key?: string;
  path?: string;
  mode?: number;
};
export type Lifecycle = {
  postStart?: LifecycleHandler;
  preStop?: LifecycleHandler;
  stopSignal?: "SIGABRT" | "SIGALRM" | "SIGBUS" | "SIGCHLD" | "SIGCLD" | "SIGCONT" | "SIGFPE" | "SIGHUP" | "SIGILL" | "SIGINT" | "SIGIO" | "SIGIOT" | "SIGKILL" | "SIGPIPE" | "SIGPOLL" | "SIGPROF" | "SIGPWR" | "SIGQUIT" | "SIGRTMAX" | "SIGRTMAX-1" | "SIGRTMAX-10" | "SIGRTMAX-11" | "SIGRTMAX-12" | "SIGRTMAX-13" | "SIGRTMAX-14" | "SIGRTMAX-2" | "SIGRTMAX-3" | "SIGRTMAX-4" | "SIGRTMAX-5" | "SIGRTMAX-6" | "SIGRTMAX-7" | "SIGRTMAX-8" | "SIGRTMAX-9" | "SIGRTMIN" | "SIGRTMIN+1" | "SIGRTMIN+10" | "SIGRTMIN+11" | "SIGRTMIN+12" | "SIGRTMIN+13" | "SIGRTMIN+14" | "SIGRTMIN+15" | "SIGRTMIN+2" | "SIGRTMIN+3" | "SIGRTMIN+4" | "SIGRTMIN+5" | "SIGRTMIN+6" | "SIGRTMIN+7" | "SIGRTMIN+8" | "SIGRTMIN+9" | "SIGSEGV" | "SIGSTKFLT" | "SIGSTOP" | "SIGSYS" | "SIGTERM" | "SIGTRAP" | "SIGTSTP" | "SIGTTIN" | "SIGTTOU" | "SIGURG" | "SIGUSR1" | "SIGUSR2" | "SIGVTALRM" | "SIGWINCH" | "SIGXCPU" | "SIGXFSZ" | (string & {});
};
export type LifecycleHandler = {
  exec?: ExecAction;
  httpGet?: HTTPGetAction;
  tcpSocket?: TCPSocketAction;
  sleep?: SleepAction;
};
/** v1 LimitRange */
export type LimitRange = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: LimitRangeSpec;
};
export type LimitRangeItem = {
  type?: string;
  max?: { [key: string]: string };
  min?: { [key: string]: string };
  default?: { [key: string]: string };
  defaultRequest?: { [key: string]: string };
  maxLimitRequestRatio?: { [key: string]: string };
};
/** v1 LimitRangeList */
export type LimitRangeList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: LimitRange[];
};
export type LimitRangeSpec = {
  limits?: LimitRangeItem[];
};
export type LinuxContainerUser = {
  uid?: number;
  gid?: number;
  supplementalGroups?: number[];
};
export type List = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ({ [field: string]: unknown })[];
};
export type LoadBalancerIngress = {
  ip?: string;
  hostname?: string;
  ipMode?: string;
  ports?: PortStatus[];
};
export type LoadBalancerStatus = {
  ingress?: LoadBalancerIngress[];
};
export type LocalObjectReference = {
  name?: string;
};
export type LocalVolumeSource = {
  path?: string;
  fsType?: string;
};
export type ModifyVolumeStatus = {
  targetVolumeAttributesClassName?: string;
  status?: "InProgress" | "Infeasible" | "Pending" | (string & {});
};
export type NFSVolumeSource = {
  server?: string;
  path?: string;
  readOnly?: boolean;
};
/** v1 Namespace */
export type Namespace = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: NamespaceSpec;
  status?: NamespaceStatus;
};
export type NamespaceCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** v1 NamespaceList */
export type NamespaceList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Namespace[];
};
export type NamespaceSpec = {
  finalizers?: string[];
};
export type NamespaceStatus = {
  phase?: "Active" | "Terminating" | (string & {});
  conditions?: NamespaceCondition[];
};
/** v1 Node */
export type Node = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: NodeSpec;
  status?: NodeStatus;
};
export type NodeAddress = {
  type?: string;
  address?: string;
};
export type NodeAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector;
  preferredDuringSchedulingIgnoredDuringExecution?: PreferredSchedulingTerm[];
};
export type NodeAllocatableResourceClaimStatus = {
  resourceClaimName?: string;
  containers?: string[];
  resources?: { [key: string]: string };
};
export type NodeCondition = {
  type?: string;
  status?: string;
  lastHeartbeatTime?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
export type NodeConfigSource = {
  configMap?: ConfigMapNodeConfigSource;
};
export type NodeConfigStatus = {
  assigned?: NodeConfigSource;
  active?: NodeConfigSource;
  lastKnownGood?: NodeConfigSource;
  error?: string;
};
export type NodeDaemonEndpoints = {
  kubeletEndpoint?: DaemonEndpoint;
};
export type NodeFeatures = {
  supplementalGroupsPolicy?: boolean;
};
/** v1 NodeList */
export type NodeList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Node[];
};
/** v1 NodeProxyOptions */
export type NodeProxyOptions = {
  kind?: string;
  apiVersion?: string;
  path?: string;
};
export type NodeRuntimeHandler = {
  name?: string;
  features?: NodeRuntimeHandlerFeatures;
};
export type NodeRuntimeHandlerFeatures = {
  recursiveReadOnlyMounts?: boolean;
  userNamespaces?: boolean;
};
export type NodeSelector = {
  nodeSelectorTerms?: NodeSelectorTerm[];
};
export type NodeSelectorRequirement = {
  key?: string;
  operator?: "DoesNotExist" | "Exists" | "Gt" | "In" | "Lt" | "NotIn" | (string & {});
  values?: string[];
};
export type NodeSelectorTerm = {
  matchExpressions?: NodeSelectorRequirement[];
  matchFields?: NodeSelectorRequirement[];
};
export type NodeSpec = {
  podCIDR?: string;
  podCIDRs?: string[];
  providerID?: string;
  unschedulable?: boolean;
  taints?: Taint[];
  configSource?: NodeConfigSource;
  externalID?: string;
};
export type NodeStatus = {
  capacity?: { [key: string]: string };
  allocatable?: { [key: string]: string };
  phase?: "Pending" | "Running" | "Terminated" | (string & {});
  conditions?: NodeCondition[];
  addresses?: NodeAddress[];
  daemonEndpoints?: NodeDaemonEndpoints;
  nodeInfo?: NodeSystemInfo;
  images?: ContainerImage[];
  volumesInUse?: string[];
  volumesAttached?: AttachedVolume[];
  config?: NodeConfigStatus;
  runtimeHandlers?: NodeRuntimeHandler[];
  features?: NodeFeatures;
  declaredFeatures?: string[];
};
export type NodeSwapStatus = {
  capacity?: number;
};
export type NodeSystemInfo = {
  machineID?: string;
  systemUUID?: string;
  bootID?: string;
  kernelVersion?: string;
  osImage?: string;
  containerRuntimeVersion?: string;
  kubeletVersion?: string;
  kubeProxyVersion?: string;
  operatingSystem?: string;
  architecture?: string;
  swap?: NodeSwapStatus;
};
export type ObjectFieldSelector = {
  apiVersion?: string;
  fieldPath?: string;
};
export type ObjectReference = {
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiVersion?: string;
  resourceVersion?: string;
  fieldPath?: string;
};
/** v1 PersistentVolume */
export type PersistentVolume = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: PersistentVolumeSpec;
  status?: PersistentVolumeStatus;
};
/** v1 PersistentVolumeClaim */
export type PersistentVolumeClaim = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: PersistentVolumeClaimSpec;
  status?: PersistentVolumeClaimStatus;
};
export type PersistentVolumeClaimCondition = {
  type?: string;
  status?: string;
  lastProbeTime?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** v1 PersistentVolumeClaimList */
export type PersistentVolumeClaimList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: PersistentVolumeClaim[];
};
export type PersistentVolumeClaimSpec = {
  accessModes?: ("ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOnce" | "ReadWriteOncePod" | (string & {}))[];
  selector?: meta_v1_LabelSelector;
  resources?: VolumeResourceRequirements;
  volumeName?: string;
  storageClassName?: string;
  volumeMode?: "Block" | "Filesystem" | (string & {});
  dataSource?: TypedLocalObjectReference;
  dataSourceRef?: TypedObjectReference;
  volumeAttributesClassName?: string;
};
export type PersistentVolumeClaimStatus = {
  phase?: "Bound" | "Lost" | "Pending" | (string & {});
  accessModes?: ("ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOnce" | "ReadWriteOncePod" | (string & {}))[];
  capacity?: { [key: string]: string };
  conditions?: PersistentVolumeClaimCondition[];
  allocatedResources?: { [key: string]: string };
  allocatedResourceStatuses?: { [key: string]: string };
  currentVolumeAttributesClassName?: string;
  modifyVolumeStatus?: ModifyVolumeStatus;
};
export type PersistentVolumeClaimTemplate = {
  metadata?: meta_v1_ObjectMeta;
  spec?: PersistentVolumeClaimSpec;
};
export type PersistentVolumeClaimVolumeSource = {
  claimName?: string;
  readOnly?: boolean;
};
/** v1 PersistentVolumeList */
export type PersistentVolumeList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: PersistentVolume[];
};
export type PersistentVolumeSource = {
  gcePersistentDisk?: GCEPersistentDiskVolumeSource;
  awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource;
  hostPath?: HostPathVolumeSource;
  glusterfs?: GlusterfsPersistentVolumeSource;
  nfs?: NFSVolumeSource;
  rbd?: RBDPersistentVolumeSource;
  iscsi?: ISCSIPersistentVolumeSource;
  cinder?: CinderPersistentVolumeSource;
  cephfs?: CephFSPersistentVolumeSource;
  fc?: FCVolumeSource;
  flocker?: FlockerVolumeSource;
  flexVolume?: FlexPersistentVolumeSource;
  azureFile?: AzureFilePersistentVolumeSource;
  vsphereVolume?: VsphereVirtualDiskVolumeSource;
  quobyte?: QuobyteVolumeSource;
  azureDisk?: AzureDiskVolumeSource;
  photonPersistentDisk?: PhotonPersistentDiskVolumeSource;
  portworxVolume?: PortworxVolumeSource;
  scaleIO?: ScaleIOPersistentVolumeSource;
  local?: LocalVolumeSource;
  storageos?: StorageOSPersistentVolumeSource;
  csi?: CSIPersistentVolumeSource;
};
export type PersistentVolumeSpec = PersistentVolumeSource & {
  capacity?: { [key: string]: string };
  accessModes?: ("ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOnce" | "ReadWriteOncePod" | (string & {}))[];
  claimRef?: ObjectReference;
  persistentVolumeReclaimPolicy?: "Delete" | "Recycle" | "Retain" | (string & {});
  storageClassName?: string;
  mountOptions?: string[];
  volumeMode?: "Block" | "Filesystem" | (string & {});
  nodeAffinity?: VolumeNodeAffinity;
  volumeAttributesClassName?: string;
};
export type PersistentVolumeStatus = {
  phase?: "Available" | "Bound" | "Failed" | "Pending" | "Released" | (string & {});
  message?: string;
  reason?: string;
  lastPhaseTransitionTime?: string;
};
export type PhotonPersistentDiskVolumeSource = {
  pdID?: string;
  fsType?: string;
};
/** v1 Pod */
export type Pod = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: PodSpec;
  status?: PodStatus;
};
export type PodAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[];
  preferredDuringSchedulingIgnoredDuringExecution?: WeightedPodAffinityTerm[];
};
export type PodAffinityTerm = {
  labelSelector?: meta_v1_LabelSelector;
  namespaces?: string[];
  topologyKey?: string;
  namespaceSelector?: meta_v1_LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
};
export type PodAntiAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[];
  preferredDuringSchedulingIgnoredDuringExecution?: WeightedPodAffinityTerm[];
};
/** v1 PodAttachOptions */
export type PodAttachOptions = {
  kind?: string;
  apiVersion?: string;
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  tty?: boolean;
  container?: string;
};
export type PodCertificateProjection = {
  signerName?: string;
  keyType?: string;
  maxExpirationSeconds?: number;
  credentialBundlePath?: string;
  keyPath?: string;
  certificateChainPath?: string;
  userAnnotations?: { [key: string]: string };
};
export type PodCondition = {
  type?: string;
  observedGeneration?: number;
  status?: string;
  lastProbeTime?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
export type PodDNSConfig = {
  nameservers?: string[];
  searches?: string[];
  options?: PodDNSConfigOption[];
};
export type PodDNSConfigOption = {
  name?: string;
  value?: string;
};
/** v1 PodExecOptions */
export type PodExecOptions = {
  kind?: string;
  apiVersion?: string;
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  tty?: boolean;
  container?: string;
  command?: string[];
};
export type PodExtendedResourceClaimStatus = {
  requestMappings?: ContainerExtendedResourceRequest[];
  resourceClaimName?: string;
};
export type PodIP = {
  ip?: string;
};
/** v1 PodList */
export type PodList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Pod[];
};
/** v1 PodLogOptions */
export type PodLogOptions = {
  kind?: string;
  apiVersion?: string;
  container?: string;
  follow?: boolean;
  previous?: boolean;
  sinceSeconds?: number;
  sinceTime?: string;
  timestamps?: boolean;
  tailLines?: number;
  limitBytes?: number;
  insecureSkipTLSVerifyBackend?: boolean;
  stream?: string;
};
export type PodOS = {
  name?: string;
};
/** v1 PodPortForwardOptions */
export type PodPortForwardOptions = {
  kind?: string;
  apiVersion?: string;
  ports?: number[];
};
/** v1 PodProxyOptions */
export type PodProxyOptions = {
  kind?: string;
  apiVersion?: string;
  path?: string;
};
export type PodReadinessGate = {
  conditionType?: string;
};
export type PodResourceClaim = {
  name?: string;
  resourceClaimName?: string;
  resourceClaimTemplateName?: string;
};
export type PodResourceClaimStatus = {
  name?: string;
  resourceClaimName?: string;
};
export type PodSchedulingGate = {
  name?: string;
};
export type PodSchedulingGroup = {
  podGroupName?: string;
};
export type PodSecurityContext = {
  seLinuxOptions?: SELinuxOptions;
  windowsOptions?: WindowsSecurityContextOptions;
  runAsUser?: number;
  runAsGroup?: number;
  runAsNonRoot?: boolean;
  supplementalGroups?: number[];
  supplementalGroupsPolicy?: "Merge" | "Strict" | (string & {});
  fsGroup?: number;
  sysctls?: Sysctl[];
  fsGroupChangePolicy?: "Always" | "OnRootMismatch" | (string & {});
  seccompProfile?: SeccompProfile;
  appArmorProfile?: AppArmorProfile;
  seLinuxChangePolicy?: string;
};
export type PodSignature = {
  podController?: meta_v1_OwnerReference;
};
export type PodSpec = {
  volumes?: Volume[];
  initContainers?: Container[];
  containers?: Container[];
  ephemeralContainers?: EphemeralContainer[];
  restartPolicy?: "Always" | "Never" | "OnFailure" | (string & {});
  terminationGracePeriodSeconds?: number;
  activeDeadlineSeconds?: number;
  dnsPolicy?: "ClusterFirst" | "ClusterFirstWithHostNet" | "Default" | "None" | (string & {});
  nodeSelector?: { [key: string]: string };
  serviceAccountName?: string;
  serviceAccount?: string;
  automountServiceAccountToken?: boolean;
  nodeName?: string;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  shareProcessNamespace?: boolean;
  securityContext?: PodSecurityContext;
  imagePullSecrets?: LocalObjectReference[];
  hostname?: string;
  subdomain?: string;
  affinity?: Affinity;
  schedulerName?: string;
  tolerations?: Toleration[];
  hostAliases?: HostAlias[];
  priorityClassName?: string;
  priority?: number;
  dnsConfig?: PodDNSConfig;
  readinessGates?: PodReadinessGate[];
  runtimeClassName?: string;
  enableServiceLinks?: boolean;
  preemptionPolicy?: "Never" | "PreemptLowerPriority" | (string & {});
  overhead?: { [key: string]: string };
  topologySpreadConstraints?: TopologySpreadConstraint[];
  setHostnameAsFQDN?: boolean;
  os?: PodOS;
  hostUsers?: boolean;
  schedulingGates?: PodSchedulingGate[];
  resourceClaims?: PodResourceClaim[];
  resources?: ResourceRequirements;
  hostnameOverride?: string;
  schedulingGroup?: PodSchedulingGroup;
};
export type PodStatus = {
  observedGeneration?: number;
  phase?: "Failed" | "Pending" | "Running" | "Succeeded" | "Unknown" | (string & {});
  conditions?: PodCondition[];
  message?: string;
  reason?: string;
  nominatedNodeName?: string;
  hostIP?: string;
  hostIPs?: HostIP[];
  podIP?: string;
  podIPs?: PodIP[];
  startTime?: string;
  initContainerStatuses?: ContainerStatus[];
  containerStatuses?: ContainerStatus[];
  qosClass?: "BestEffort" | "Burstable" | "Guaranteed" | (string & {});
  ephemeralContainerStatuses?: ContainerStatus[];
  resize?: string;
  resourceClaimStatuses?: PodResourceClaimStatus[];
  extendedResourceClaimStatus?: PodExtendedResourceClaimStatus;
  allocatedResources?: { [key: string]: string };
  resources?: ResourceRequirements;
  nodeAllocatableResourceClaimStatuses?: NodeAllocatableResourceClaimStatus[];
};
/** v1 PodStatusResult */
export type PodStatusResult = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  status?: PodStatus;
};
/** v1 PodTemplate */
export type PodTemplate = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  template?: PodTemplateSpec;
};
/** v1 PodTemplateList */
export type PodTemplateList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: PodTemplate[];
};
export type PodTemplateSpec = {
  metadata?: meta_v1_ObjectMeta;
  spec?: PodSpec;
};
export type PortStatus = {
  port?: number;
  protocol?: "SCTP" | "TCP" | "UDP" | (string & {});
  error?: string;
};
export type PortworxVolumeSource = {
  volumeID?: string;
  fsType?: string;
  readOnly?: boolean;
};
export type Preconditions = {
  uid?: string;
};
export type PreferAvoidPodsEntry = {
  podSignature?: PodSignature;
  evictionTime?: string;
  reason?: string;
  message?: string;
};
export type PreferredSchedulingTerm = {
  weight?: number;
  preference?: NodeSelectorTerm;
};
export type Probe = ProbeHandler & {
  initialDelaySeconds?: number;
  timeoutSeconds?: number;
  periodSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
  terminationGracePeriodSeconds?: number;
};
export type ProbeHandler = {
  exec?: ExecAction;
  httpGet?: HTTPGetAction;
  tcpSocket?: TCPSocketAction;
  grpc?: GRPCAction;
};
export type ProjectedVolumeSource = {
  sources?: VolumeProjection[];
  defaultMode?: number;
};
export type QuobyteVolumeSource = {
  registry?: string;
  volume?: string;
  readOnly?: boolean;
  user?: string;
  group?: string;
  tenant?: string;
};
export type RBDPersistentVolumeSource = {
  monitors?: string[];
  image?: string;
  fsType?: string;
  pool?: string;
  user?: string;
  keyring?: string;
  secretRef?: SecretReference;
  readOnly?: boolean;
};
export type RBDVolumeSource = {
  monitors?: string[];
  image?: string;
  fsType?: string;
  pool?: string;
  user?: string;
  keyring?: string;
  secretRef?: LocalObjectReference;
  readOnly?: boolean;
};
/** v1 RangeAllocation */
export type RangeAllocation = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  range?: string;
  data?: string;
};
/** v1 ReplicationController */
export type ReplicationController = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ReplicationControllerSpec;
  status?: ReplicationControllerStatus;
};
export type ReplicationControllerCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** v1 ReplicationControllerList */
export type ReplicationControllerList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ReplicationController[];
};
export type ReplicationControllerSpec = {
  replicas?: number;
  minReadySeconds?: number;
  selector?: { [key: string]: string };
  template?: PodTemplateSpec;
};
export type ReplicationControllerStatus = {
  replicas?: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
  conditions?: ReplicationControllerCondition[];
};
export type ResourceClaim = {
  name?: string;
  request?: string;
};
export type ResourceFieldSelector = {
  containerName?: string;
  resource?: string;
  divisor?: string;
};
export type ResourceHealth = {
  resourceID?: string;
  health?: string;
  message?: string;
};
/** v1 ResourceQuota */
export type ResourceQuota = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ResourceQuotaSpec;
  status?: ResourceQuotaStatus;
};
/** v1 ResourceQuotaList */
export type ResourceQuotaList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ResourceQuota[];
};
export type ResourceQuotaSpec = {
  hard?: { [key: string]: string };
  scopes?: ("BestEffort" | "CrossNamespacePodAffinity" | "NotBestEffort" | "NotTerminating" | "PriorityClass" | "Terminating" | "VolumeAttributesClass" | (string & {}))[];
  scopeSelector?: ScopeSelector;
};
export type ResourceQuotaStatus = {
  hard?: { [key: string]: string };
  used?: { [key: string]: string };
};
export type ResourceRequirements = {
  limits?: { [key: string]: string };
  requests?: { [key: string]: string };
  claims?: ResourceClaim[];
};
export type ResourceStatus = {
  name?: string;
  resources?: ResourceHealth[];
};
export type SELinuxOptions = {
  user?: string;
  role?: string;
  type?: string;
  level?: string;
};
export type ScaleIOPersistentVolumeSource = {
  gateway?: string;
  system?: string;
  secretRef?: SecretReference;
  sslEnabled?: boolean;
  protectionDomain?: string;
  storagePool?: string;
  storageMode?: string;
  volumeName?: string;
  fsType?: string;
  readOnly?: boolean;
};
export type ScaleIOVolumeSource = {
  gateway?: string;
  system?: string;
  secretRef?: LocalObjectReference;
  sslEnabled?: boolean;
  protectionDomain?: string;
  storagePool?: string;
  storageMode?: string;
  volumeName?: string;
  fsType?: string;
  readOnly?: boolean;
};
export type ScopeSelector = {
  matchExpressions?: ScopedResourceSelectorRequirement[];
};
export type ScopedResourceSelectorRequirement = {
  scopeName?: "BestEffort" | "CrossNamespacePodAffinity" | "NotBestEffort" | "NotTerminating" | "PriorityClass" | "Terminating" | "VolumeAttributesClass" | (string & {});
  operator?: "DoesNotExist" | "Exists" | "In" | "NotIn" | (string & {});
  values?: string[];
};
export type SeccompProfile = {
  type?: "Localhost" | "RuntimeDefault" | "Unconfined" | (string & {});
  localhostProfile?: string;
};
/** v1 Secret */
export type Secret = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  immutable?: boolean;
  data?: { [key: string]: string };
  stringData?: { [key: string]: string };
  type?: string;
};
export type SecretEnvSource = LocalObjectReference & {
  optional?: boolean;
};
export type SecretKeySelector = LocalObjectReference & {
  key?: string;
  optional?: boolean;
};
/** v1 SecretList */
export type SecretList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Secret[];
};
export type SecretProjection = LocalObjectReference & {
  items?: KeyToPath[];
  optional?: boolean;
};
export type SecretReference = {
  name?: string;
  namespace?: string;
};
export type SecretVolumeSource = {
  secretName?: string;
  items?: KeyToPath[];
  defaultMode?: number;
  optional?: boolean;
};
export type SecurityContext = {
  capabilities?: Capabilities;
  privileged?: boolean;
  seLinuxOptions?: SELinuxOptions;
  windowsOptions?: WindowsSecurityContextOptions;
  runAsUser?: number;
  runAsGroup?: number;
  runAsNonRoot?: boolean;
  readOnlyRootFilesystem?: boolean;
  allowPrivilegeEscalation?: boolean;
  procMount?: "Default" | "Unmasked" | (string & {});
  seccompProfile?: SeccompProfile;
  appArmorProfile?: AppArmorProfile;
};
/** v1 SerializedReference */
export type SerializedReference = {
  kind?: string;
  apiVersion?: string;
  reference?: ObjectReference;
};
/** v1 Service */
export type Service = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ServiceSpec;
  status?: ServiceStatus;
};
/** v1 ServiceAccount */
export type ServiceAccount = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  secrets?: ObjectReference[];
  imagePullSecrets?: LocalObjectReference[];
  automountServiceAccountToken?: boolean;
};
/** v1 ServiceAccountList */
export type ServiceAccountList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ServiceAccount[];
};
export type ServiceAccountTokenProjection = {
  audience?: string;
  expirationSeconds?: number;
  path?: string;
};
/** v1 ServiceList */
export type ServiceList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Service[];
};
export type ServicePort = {
  name?: string;
  protocol?: "SCTP" | "TCP" | "UDP" | (string & {});
  appProtocol?: string;
  port?: number;
  targetPort?: number | string;
  nodePort?: number;
};
/** v1 ServiceProxyOptions */
export type ServiceProxyOptions = {
  kind?: string;
  apiVersion?: string;
  path?: string;
};
export type ServiceSpec = {
  ports?: ServicePort[];
  selector?: { [key: string]: string };
  clusterIP?: string;
  clusterIPs?: string[];
  type?: "ClusterIP" | "ExternalName" | "LoadBalancer" | "NodePort" | (string & {});
  externalIPs?: string[];
  sessionAffinity?: "ClientIP" | "None" | (string & {});
  loadBalancerIP?: string;
  loadBalancerSourceRanges?: string[];
  externalName?: string;
  externalTrafficPolicy?: "Cluster" | "Local" | (string & {});
  healthCheckNodePort?: number;
  publishNotReadyAddresses?: boolean;
  sessionAffinityConfig?: SessionAffinityConfig;
  ipFamilies?: ("" | "IPv4" | "IPv6" | (string & {}))[];
  ipFamilyPolicy?: "PreferDualStack" | "RequireDualStack" | "SingleStack" | (string & {});
  allocateLoadBalancerNodePorts?: boolean;
  loadBalancerClass?: string;
  internalTrafficPolicy?: "Cluster" | "Local" | (string & {});
  trafficDistribution?: string;
};
export type ServiceStatus = {
  loadBalancer?: LoadBalancerStatus;
  conditions?: meta_v1_Condition[];
};
export type SessionAffinityConfig = {
  clientIP?: ClientIPConfig;
};
export type SleepAction = {
  seconds?: number;
};
export type StorageOSPersistentVolumeSource = {
  volumeName?: string;
  volumeNamespace?: string;
  fsType?: string;
  readOnly?: boolean;
  secretRef?: ObjectReference;
};
export type StorageOSVolumeSource = {
  volumeName?: string;
  volumeNamespace?: string;
  fsType?: string;
  readOnly?: boolean;
  secretRef?: LocalObjectReference;
};
export type Sysctl = {
  name?: string;
  value?: string;
};
export type TCPSocketAction = {
  port?: number | string;
  host?: string;
};
export type Taint = {
  key?: string;
  value?: string;
  effect?: "NoExecute" | "NoSchedule" | "PreferNoSchedule" | (string & {});
  timeAdded?: string;
};
export type Toleration = {
  key?: string;
  operator?: "Equal" | "Exists" | "Gt" | "Lt" | (string & {});
  value?: string;
  effect?: "NoExecute" | "NoSchedule" | "PreferNoSchedule" | (string & {});
  tolerationSeconds?: number;
};
export type TopologySelectorLabelRequirement = {
  key?: string;
  values?: string[];
};
export type TopologySelectorTerm = {
  matchLabelExpressions?: TopologySelectorLabelRequirement[];
};
export type TopologySpreadConstraint = {
  maxSkew?: number;
  topologyKey?: string;
  whenUnsatisfiable?: "DoNotSchedule" | "ScheduleAnyway" | (string & {});
  labelSelector?: meta_v1_LabelSelector;
  minDomains?: number;
  nodeAffinityPolicy?: "Honor" | "Ignore" | (string & {});
  nodeTaintsPolicy?: "Honor" | "Ignore" | (string & {});
  matchLabelKeys?: string[];
};
export type TypedLocalObjectReference = {
  apiGroup?: string;
  kind?: string;
  name?: string;
};
export type TypedObjectReference = {
  apiGroup?: string;
  kind?: string;
  name?: string;
  namespace?: string;
};
export type Volume = VolumeSource & {
  name?: string;
};
export type VolumeDevice = {
  name?: string;
  devicePath?: string;
};
export type VolumeMount = {
  name?: string;
  readOnly?: boolean;
  recursiveReadOnly?: string;
  mountPath?: string;
  subPath?: string;
  mountPropagation?: "Bidirectional" | "HostToContainer" | "None" | (string & {});
  subPathExpr?: string;
};
export type VolumeMountStatus = {
  name?: string;
  mountPath?: string;
  readOnly?: boolean;
  recursiveReadOnly?: string;
  volumeStatus?: VolumeStatus;
};
export type VolumeNodeAffinity = {
  required?: NodeSelector;
};
export type VolumeProjection = {
  secret?: SecretProjection;
  downwardAPI?: DownwardAPIProjection;
  configMap?: ConfigMapProjection;
  serviceAccountToken?: ServiceAccountTokenProjection;
  clusterTrustBundle?: ClusterTrustBundleProjection;
  podCertificate?: PodCertificateProjection;
};
export type VolumeResourceRequirements = {
  limits?: { [key: string]: string };
  requests?: { [key: string]: string };
};
export type VolumeSource = {
  hostPath?: HostPathVolumeSource;
  emptyDir?: EmptyDirVolumeSource;
  gcePersistentDisk?: GCEPersistentDiskVolumeSource;
  awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource;
  gitRepo?: GitRepoVolumeSource;
  secret?: SecretVolumeSource;
  nfs?: NFSVolumeSource;
  iscsi?: ISCSIVolumeSource;
  glusterfs?: GlusterfsVolumeSource;
  persistentVolumeClaim?: PersistentVolumeClaimVolumeSource;
  rbd?: RBDVolumeSource;
  flexVolume?: FlexVolumeSource;
  cinder?: CinderVolumeSource;
  cephfs?: CephFSVolumeSource;
  flocker?: FlockerVolumeSource;
  downwardAPI?: DownwardAPIVolumeSource;
  fc?: FCVolumeSource;
  azureFile?: AzureFileVolumeSource;
  configMap?: ConfigMapVolumeSource;
  vsphereVolume?: VsphereVirtualDiskVolumeSource;
  quobyte?: QuobyteVolumeSource;
  azureDisk?: AzureDiskVolumeSource;
  photonPersistentDisk?: PhotonPersistentDiskVolumeSource;
  projected?: ProjectedVolumeSource;
  portworxVolume?: PortworxVolumeSource;
  scaleIO?: ScaleIOVolumeSource;
  storageos?: StorageOSVolumeSource;
  csi?: CSIVolumeSource;
  ephemeral?: EphemeralVolumeSource;
  image?: ImageVolumeSource;
};
export type VolumeStatus = {
  image?: ImageVolumeStatus;
};
export type VsphereVirtualDiskVolumeSource = {
  volumePath?: string;
  fsType?: string;
  storagePolicyName?: string;
  storagePolicyID?: string;
};
export type WeightedPodAffinityTerm = {
  weight?: number;
  podAffinityTerm?: PodAffinityTerm;
};
export type WindowsSecurityContextOptions = {
  gmsaCredentialSpecName?: string;
  gmsaCredentialSpec?: string;
  runAsUserName?: string;
  hostProcess?: boolean;
};
