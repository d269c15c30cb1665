/**
 * Feature gates of kube-apiserver: each is as it is by default, and may be said to be so.
 *
 * Shapes  stage as /metrics says it: "" once a gate is general
 * Errors  upstream's words for what no gate is, what is no boolean and what is locked; a value
 *         that would change something is refused, since nothing here would change with it
 * Source  pkg/features/kube_features.go and those of apiserver, client-go and component-base, as
 *         `kubernetes_feature_enabled` of kube-apiserver 1.36.3 lists them;
 *         component-base featuregate/feature_gate.go
 */
interface GateGroup {
  stage: "" | "ALPHA" | "BETA" | "DEPRECATED";
  isOn: boolean;
  isLocked: boolean;
  names: string;
}

const groups: readonly GateGroup[] = [
  {
    stage: "ALPHA",
    isOn: false,
    isLocked: false,
    names: `
      APIServingWithRoutine AllowUnsafeMalformedObjectDeletion CBORServingAndStorage
      CPUManagerPolicyAlphaOptions CRIListStreaming CSIVolumeHealth ClientsAllowCBOR
      ClientsPreferCBOR CloudControllerManagerWatchBasedRoutesReconciliation
      CloudControllerManagerWebhook ContainerStopSignals
      ControllerManagerReleaseLeaderElectionLockOnExit CrossNamespaceVolumeDataSource
      DRAListTypeAttributes DRANodeAllocatableResources DRAResourcePoolStatus
      DRAWorkloadResourceClaims EventedPLEG GangScheduling GenericWorkload HPAScaleToZero
      ImageVolumeWithDigest InPlacePodVerticalScalingExclusiveCPUs
      InPlacePodVerticalScalingExclusiveMemory KubeletInUserNamespace LoggingAlphaOptions
      ManifestBasedAdmissionControlConfig MemoryQoS MutablePVNodeAffinity NativeHistograms
      PersistentVolumeClaimUnusedSinceTime PodAndContainerStatsFromCRI PodLevelResourceManagers
      PodLogsQuerySplitStreams PodsAPI QOSReserved ReduceDefaultCrashLoopBackOffDecay
      RuntimeClassInImageCriApi ShardedListAndWatch StorageCapacityScoring StorageVersionAPI
      TaintTolerationComparisonOperators TopologyAwareWorkloadScheduling
      TopologyManagerPolicyAlphaOptions UserNamespacesHostNetworkSupport VolumeLimitScaling
      WindowsCPUAndMemoryAffinity WorkloadAwarePreemption WorkloadWithJob
    `,
  },
  {
    stage: "BETA",
    isOn: true,
    isLocked: false,
    names: `
      APIResponseCompression APIServerIdentity AllowParsingUserUIDFromCertAuth AtomicFIFO
      AuthorizePodWebsocketUpgradeCreatePermission CPUManagerPolicyBetaOptions
      CRDObservedGenerationTracking ClearingNominatedNodeNameAfterBinding ClientsAllowCARotation
      ClientsAllowTLSCacheGC ComponentFlagz ComponentStatusz ConstrainedImpersonation
      ContainerCheckpoint ContainerRestartRules ContextualLogging DRAConsumableCapacity
      DRADeviceBindingConditions DRADeviceTaints DRAExtendedResource DRAPartitionableDevices
      DRAResourceClaimDeviceStatus DRAResourceClaimGranularStatusAuthorization
      DRASchedulerFilterTimeout DeclarativeValidationBeta
      DeploymentReplicaSetTerminatingReplicas DetectCacheInconsistency EnvFiles
      ExtendWebSocketsToKubelet GracefulNodeShutdown GracefulNodeShutdownBasedOnPodPriority
      HPAConfigurableTolerance HostnameOverride InOrderInformersBatchProcess
      InPlacePodLevelResourcesVerticalScaling InPlacePodVerticalScalingInitContainers
      KubeletCrashLoopBackOffMax KubeletEnsureSecretPulledImages KubeletSeparateDiskGC
      KubeletServiceAccountTokenForCredentialProviders ListFromCacheSnapshot LoggingBetaOptions
      MatchLabelKeysInPodTopologySpread MatchLabelKeysInPodTopologySpreadSelectorMerge
      MutablePodResourcesForSuspendedJobs MutableSchedulingDirectivesForSuspendedJobs
      NodeDeclaredFeatures NominatedNodeNameForExpectation OpenAPIEnums OpportunisticBatching
      PLEGOnDemandRelist PodDeletionCost PodLevelResources PodReadyToStartContainersCondition
      PodTopologyLabelsAdmission PortForwardWebsockets PreventStaticPodAPIReferences
      RelaxedServiceNameValidation ReloadKubeletClientCAFile ReloadKubeletServerCertificateFile
      RemoteRequestHeaderUID ResourceHealthStatus ResourceHealthStatusMessage
      RestartAllContainersOnContainerExits RotateKubeletServerCertificate
      SchedulerAsyncPreemption SchedulerPopFromBackoffQ ServiceAccountNodeAudienceRestriction
      SizeBasedListCostEstimate StaleControllerConsistencyDaemonSet
      StaleControllerConsistencyJob StaleControllerConsistencyReplicaSet
      StaleControllerConsistencyStatefulSet StatefulSetSemanticRevisionComparison
      StorageVersionHash StrictIPCIDRValidation
      StructuredAuthenticationConfigurationEgressSelector
      StructuredAuthenticationConfigurationJWKSMetrics TokenRequestServiceAccountUIDValidation
      TopologyManagerPolicyBetaOptions TranslateStreamCloseWebsocketRequests
      UnauthenticatedHTTP2DOSMitigation UnknownVersionInteroperabilityProxy
      UnlockWhileProcessingFIFO WatchCacheInitializationPostStartHook WatchList WatchListClient
      WindowsGracefulNodeShutdown
    `,
  },
  {
    stage: "BETA",
    isOn: false,
    isLocked: false,
    names: `
      ClusterTrustBundle ClusterTrustBundleProjection ConcurrentWatchObjectDecode
      CoordinatedLeaderElection DRADeviceTaintRules
      LocalStorageCapacityIsolationFSQuotaMonitoring MaxUnavailableStatefulSet
      PodCertificateRequest SELinuxMount SchedulerAsyncAPICalls StorageVersionMigrator
    `,
  },
  {
    stage: "",
    isOn: true,
    isLocked: false,
    names: `
      AllowServiceExternalIPs CustomCPUCFSQuotaPeriod DRAPrioritizedList InformerResourceVersion
      MutatingAdmissionPolicy
    `,
  },
  {
    stage: "DEPRECATED",
    isOn: true,
    isLocked: false,
    names: `
      DisableCPUQuotaWithExclusiveCPUs KubeletPodResourcesListUseActivePods
      ServiceCIDRStatusFieldWiping StorageNamespaceIndex
    `,
  },
  {
    stage: "DEPRECATED",
    isOn: false,
    isLocked: false,
    names: `
      AllowDNSOnlyNodeCSR AllowInsecureKubeletCertificateSigningRequests
      ChangeContainerStatusOnKubeletRestart DeclarativeValidationTakeover KMSv1
      KubeletRegistrationGetOnExistsOnly WindowsHostNetwork
    `,
  },
  {
    stage: "",
    isOn: true,
    isLocked: true,
    names: `
      APIServerTracing AggregatedDiscoveryRemoveBetaType AnonymousAuthConfigurableEndpoints
      AnyVolumeDataSource AuthorizeNodeWithSelectors AuthorizeWithSelectors BtreeWatchCache
      CPUManagerPolicyOptions CRDValidationRatcheting CSIServiceAccountTokenSecrets
      ConsistentListFromCache CustomResourceFieldSelectors DRAAdminAccess DeclarativeValidation
      DisableAllocatorDualWrite DisableNodeKubeProxyVersion DynamicResourceAllocation
      ExecProbeTimeout ExternalServiceAccountTokenSigner ImageMaximumGCAge ImageVolume
      InOrderInformers InPlacePodVerticalScaling JobBackoffLimitPerIndex JobManagedBy
      JobPodReplacementPolicy JobSuccessPolicy KubeletCgroupDriverFromCRI
      KubeletFineGrainedAuthz KubeletPSI KubeletPodResourcesDynamicResources
      KubeletPodResourcesGet KubeletTracing LogarithmicScaleDown MatchLabelKeysInPodAffinity
      MultiCIDRServiceAllocator MutableCSINodeAllocatableCount NFTablesProxyMode
      NodeInclusionPolicyInPodTopologySpread NodeLogQuery NodeSwap OrderedNamespaceDeletion
      PodLifecycleSleepAction PodLifecycleSleepActionAllowZero PodObservedGenerationTracking
      PodSchedulingReadiness PreferSameTrafficDistribution ProcMountType
      RecoverVolumeExpansionFailure RecursiveReadOnlyMounts RelaxedDNSSearchValidation
      RelaxedEnvironmentVariableValidation ResilientWatchCacheInitialization RetryGenerateName
      SELinuxChangePolicy SELinuxMountReadWriteOncePod SchedulerQueueingHints
      SeparateTaintEvictionController ServiceAccountTokenJTI ServiceAccountTokenNodeBinding
      ServiceAccountTokenNodeBindingValidation ServiceAccountTokenPodNodeInfo SidecarContainers
      StreamingCollectionEncodingToJSON StreamingCollectionEncodingToProtobuf
      StructuredAuthenticationConfiguration SupplementalGroupsPolicy SystemdWatchdog
      TopologyManagerPolicyOptions UserNamespacesSupport VolumeAttributesClass WinDSR WinOverlay
    `,
  },
  {
    stage: "",
    isOn: false,
    isLocked: true,
    names: `
      AllowOverwriteTerminationGracePeriodSeconds GitRepoVolumeDriver SeparateCacheWatchRPC
    `,
  },
];

export interface FeatureGate {
  name: string;
  stage: GateGroup["stage"];
  isOn: boolean;
  isLocked: boolean;
}

export function* featureGates(): Generator<FeatureGate> {
  for (const { stage, isOn, isLocked, names } of groups) {
    for (const name of names.trim().split(/\s+/)) yield { name, stage, isOn, isLocked };
  }
  yield { name: "AllAlpha", stage: "ALPHA", isOn: false, isLocked: false };
  yield { name: "AllBeta", stage: "BETA", isOn: false, isLocked: false };
}

const booleans: Readonly<Record<string, boolean | undefined>> = {
  ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true])),
  ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false])),
};

/** What is wrong with "Name=true", "kube:Name=true"; the first of them, as upstream. */
export function featureGateProblem(entries: readonly string[]): string | undefined {
  const known = new Map([...featureGates()].map((gate) => [gate.name, gate]));
  for (const entry of entries) {
    const [whole = "", text] = entry.split("=", 2);
    const name = whole.trim().replace(/^kube:/, "");
    if (text === undefined) return `missing bool value for ${name}`;
    const value = booleans[text.trim()];
    const gate = known.get(name);
    if (value === undefined) {
      const why = `strconv.ParseBool: parsing ${JSON.stringify(text.trim())}: invalid syntax`;
      return `invalid value of ${name}=${text.trim()}, err: ${why}`;
    }
    if (gate === undefined) return `unrecognized feature gate: ${name}`;
    // Said at all, it is said of every gate of that stage.
    const isSame = value === gate.isOn && name !== "AllBeta";
    if (isSame) continue;
    if (gate.isLocked) {
      return `cannot set feature gate ${name} to ${value}, feature is locked to ${gate.isOn}`;
    }
    return `feature gate ${name}=${value} is not supported: what it guards is as by default`;
  }
  return undefined;
}
