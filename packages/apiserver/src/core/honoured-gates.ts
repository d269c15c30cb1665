/**
 * Feature gates that may have another value than their default, and what needs what.
 *
 * Source  pkg/features/kube_features.go (dependencies); where each gate is read in kube-apiserver
 */
const names = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Each is asked for somewhere in this server. */
export const honouredGates = names(`
  APIResponseCompression AllowInsecureKubeletCertificateSigningRequests
  AllowParsingUserUIDFromCertAuth AuthorizePodWebsocketUpgradeCreatePermission
  ConstrainedImpersonation HPAConfigurableTolerance HPAScaleToZero HostnameOverride
  MutatingAdmissionPolicy PodTopologyLabelsAdmission
  ServiceAccountNodeAudienceRestriction StorageVersionHash
  TokenRequestServiceAccountUIDValidation WatchList
`);

/** Nothing that kube-apiserver answers depends on them: other programs read them, or its caches. */
export const gatesOfOthers = names(`
  APIServingWithRoutine AllowDNSOnlyNodeCSR AllowServiceExternalIPs AtomicFIFO
  CPUManagerPolicyAlphaOptions CPUManagerPolicyBetaOptions CRIListStreaming CSIVolumeHealth
  ChangeContainerStatusOnKubeletRestart ClientsAllowCARotation ClientsAllowCBOR
  ClientsAllowTLSCacheGC ClientsPreferCBOR CloudControllerManagerWatchBasedRoutesReconciliation
  CloudControllerManagerWebhook ConcurrentWatchObjectDecode ContainerCheckpoint ContextualLogging
  ControllerManagerReleaseLeaderElectionLockOnExit CustomCPUCFSQuotaPeriod
  DRASchedulerFilterTimeout DeclarativeValidationTakeover DetectCacheInconsistency
  DisableCPUQuotaWithExclusiveCPUs EventedPLEG GracefulNodeShutdown
  GracefulNodeShutdownBasedOnPodPriority InOrderInformersBatchProcess
  InPlacePodVerticalScalingExclusiveCPUs InPlacePodVerticalScalingExclusiveMemory
  InformerResourceVersion KubeletCrashLoopBackOffMax KubeletEnsureSecretPulledImages
  KubeletInUserNamespace KubeletPodResourcesListUseActivePods KubeletRegistrationGetOnExistsOnly
  KubeletSeparateDiskGC ListFromCacheSnapshot LocalStorageCapacityIsolationFSQuotaMonitoring
  MemoryQoS NominatedNodeNameForExpectation OpportunisticBatching PLEGOnDemandRelist
  PersistentVolumeClaimUnusedSinceTime PodAndContainerStatsFromCRI PodLevelResourceManagers
  PodReadyToStartContainersCondition PodsAPI PreventStaticPodAPIReferences QOSReserved
  ReduceDefaultCrashLoopBackOffDecay ReloadKubeletClientCAFile
  ReloadKubeletServerCertificateFile RotateKubeletServerCertificate RuntimeClassInImageCriApi
  SchedulerAsyncAPICalls SchedulerAsyncPreemption SchedulerPopFromBackoffQ
  StaleControllerConsistencyDaemonSet StaleControllerConsistencyJob
  StaleControllerConsistencyReplicaSet StaleControllerConsistencyStatefulSet
  StatefulSetSemanticRevisionComparison StorageCapacityScoring StorageNamespaceIndex
  TopologyManagerPolicyAlphaOptions TopologyManagerPolicyBetaOptions UnlockWhileProcessingFIFO
  WatchCacheInitializationPostStartHook WatchListClient WindowsCPUAndMemoryAffinity
  WindowsGracefulNodeShutdown WindowsHostNetwork
`);

/** A gate that is on needs these. */
export const gateDependencies: Readonly<Record<string, readonly string[]>> = {
  ClusterTrustBundleProjection: ["ClusterTrustBundle"],
  DRADeviceBindingConditions: ["DRAResourceClaimDeviceStatus"],
  DRADeviceTaintRules: ["DRADeviceTaints"],
  DRAResourceClaimGranularStatusAuthorization: ["DRAResourceClaimDeviceStatus"],
  DRAWorkloadResourceClaims: ["GenericWorkload"],
  ExtendWebSocketsToKubelet: ["NodeDeclaredFeatures"],
  GangScheduling: ["GenericWorkload"],
  GracefulNodeShutdownBasedOnPodPriority: ["GracefulNodeShutdown"],
  InPlacePodLevelResourcesVerticalScaling: ["PodLevelResources", "NodeDeclaredFeatures"],
  InPlacePodVerticalScalingInitContainers: ["NodeDeclaredFeatures"],
  MatchLabelKeysInPodTopologySpreadSelectorMerge: ["MatchLabelKeysInPodTopologySpread"],
  PodLevelResourceManagers: ["PodLevelResources"],
  ResourceHealthStatusMessage: ["ResourceHealthStatus"],
  RestartAllContainersOnContainerExits: ["ContainerRestartRules", "NodeDeclaredFeatures"],
  StaleControllerConsistencyDaemonSet: ["AtomicFIFO"],
  StaleControllerConsistencyJob: ["AtomicFIFO"],
  StaleControllerConsistencyReplicaSet: ["AtomicFIFO"],
  StaleControllerConsistencyStatefulSet: ["AtomicFIFO"],
  StorageVersionAPI: ["APIServerIdentity"],
  TopologyAwareWorkloadScheduling: ["GenericWorkload"],
  UnknownVersionInteroperabilityProxy: ["APIServerIdentity"],
  UserNamespacesHostNetworkSupport: ["NodeDeclaredFeatures"],
  WindowsGracefulNodeShutdown: ["GracefulNodeShutdown"],
  WorkloadAwarePreemption: ["GangScheduling"],
  WorkloadWithJob: ["GenericWorkload"],
};
