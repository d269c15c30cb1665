/**
 * The list of controllers: what --controllers knows, and how each is made.
 */
import { createAdmissionPolicyStatusController } from "./admission-policy-status/policy-status.ts";
import { createAttachDetachController } from "./attach-detach/attach-detach.ts";
import {
  createBootstrapSignerController,
  createTokenCleanerController,
} from "./bootstrap/bootstrap.ts";
import {
  createApprovingController,
  createCleanerController,
  createSigningController,
} from "./certificates/certificates.ts";
import { createClusterRoleAggregationController } from "./clusterrole-aggregation/aggregation.ts";
import type { Controller } from "./controller.ts";
import { createCronJobController } from "./cronjob/cronjob.ts";
import { createDaemonSetController } from "./daemonset/daemonset.ts";
import { createDeploymentController } from "./deployment/deployment.ts";
import type { Digests } from "./digests.ts";
import { createDisruptionController } from "./disruption/disruption.ts";
import { createEndpointsController } from "./endpoints/endpoints.ts";
import { createEndpointSliceController } from "./endpointslice/endpointslice.ts";
import { createEndpointSliceMirroringController } from "./endpointslice-mirroring/mirroring.ts";
import { createEphemeralVolumeController } from "./ephemeral-volume/ephemeral-volume.ts";
import { createHorizontalPodAutoscalerController } from "./horizontal-pod-autoscaler/autoscaler.ts";
import { createJobController } from "./job/job.ts";
import { createLegacyTokenCleaner } from "./legacy-token-cleaner/legacy-token-cleaner.ts";
import { createNamespaceController } from "./namespace/namespace.ts";
import { createNodeIPAMController } from "./node-ipam/node-ipam.ts";
import {
  createNodeLifecycleController,
  type NodeLifecycleOptions,
} from "./node-lifecycle/node-lifecycle.ts";
import { createVolumeExpandController } from "./persistent-volume/expander.ts";
import { createPersistentVolumeController } from "./persistent-volume/persistent-volume.ts";
import { createPodGCController } from "./pod-gc/pod-gc.ts";
import {
  createReplicaSetController,
  createReplicationController,
} from "./replicaset/replicaset.ts";
import { createResourceQuotaController } from "./resource-quota/resource-quota.ts";
import { createRootCAController } from "./root-ca/root-ca.ts";
import { createServiceCIDRController } from "./service-cidr/service-cidr.ts";
import { createServiceAccountController } from "./serviceaccount/serviceaccount.ts";
import { createTokenController } from "./serviceaccount-token/serviceaccount-token.ts";
import { createStatefulSetController } from "./statefulset/statefulset.ts";
import {
  createClaimProtectionController,
  createClassProtectionController,
  createVolumeProtectionController,
} from "./storage-protection/storage-protection.ts";
import { createTaintEvictionController } from "./taint-eviction/taint-eviction.ts";
import { createTTLController } from "./ttl/ttl.ts";
import { createTTLAfterFinishedController } from "./ttl-after-finished/ttl-after-finished.ts";

export interface ControllerOptions extends NodeLifecycleOptions {
  /** PEM of the CA that signed the API server's certificate; absent: nothing is published. */
  rootCA?: string | undefined;
  /** PEM of the key that signs the tokens in Secrets; absent: Secrets get none. */
  serviceAccountKey?: string | undefined;
  /** "10.244.0.0/16"; absent: nodes are given no pod ranges. */
  clusterCIDR?: string | undefined;
  nodeCIDRMaskSize?: number | undefined;
  terminatedPodGCThreshold?: number | undefined;
  /** A token in a Secret that was not used for so long is marked, and after as long deleted. */
  legacyTokenCleanUpPeriodMs?: number | undefined;
  /** PEM of the CA that signs certificate signing requests; absent: none are signed. */
  clusterSigning?: { cert: string; key: string } | undefined;
  /** Absent: what needs them does not run. */
  digests?: Digests | undefined;
}

export interface ControllerEntry {
  name: string;
  /** Runs only when it is named, as upstream's. */
  offByDefault?: boolean;
  /** undefined: what it needs is not configured. */
  create(options: ControllerOptions): Controller | undefined;
}

export const controllers: readonly ControllerEntry[] = [
  { name: "namespace-controller", create: createNamespaceController },
  {
    name: "serviceaccount-token-controller",
    create: ({ serviceAccountKey: key, rootCA, digests }) =>
      key === undefined || digests === undefined
        ? undefined
        : createTokenController({ key, rootCA, digests }),
  },
  {
    name: "bootstrap-signer-controller",
    offByDefault: true,
    create: ({ digests }) =>
      digests === undefined ? undefined : createBootstrapSignerController(digests),
  },
  {
    name: "token-cleaner-controller",
    offByDefault: true,
    create: createTokenCleanerController,
  },
  {
    name: "legacy-serviceaccount-token-cleaner-controller",
    create: ({ legacyTokenCleanUpPeriodMs }) =>
      createLegacyTokenCleaner(legacyTokenCleanUpPeriodMs),
  },
  { name: "ttl-controller", create: createTTLController },
  { name: "serviceaccount-controller", create: createServiceAccountController },
  {
    name: "root-ca-certificate-publisher-controller",
    create: ({ rootCA }) => (rootCA === undefined ? undefined : createRootCAController(rootCA)),
  },
  { name: "replicaset-controller", create: createReplicaSetController },
  { name: "replicationcontroller-controller", create: createReplicationController },
  { name: "deployment-controller", create: createDeploymentController },
  { name: "statefulset-controller", create: createStatefulSetController },
  { name: "daemonset-controller", create: createDaemonSetController },
  { name: "job-controller", create: createJobController },
  { name: "cronjob-controller", create: createCronJobController },
  { name: "ttl-after-finished-controller", create: createTTLAfterFinishedController },
  {
    name: "horizontal-pod-autoscaler-controller",
    create: createHorizontalPodAutoscalerController,
  },
  { name: "endpointslice-controller", create: createEndpointSliceController },
  { name: "endpoints-controller", create: createEndpointsController },
  {
    name: "endpointslice-mirroring-controller",
    create: createEndpointSliceMirroringController,
  },
  { name: "resourcequota-controller", create: createResourceQuotaController },
  { name: "disruption-controller", create: createDisruptionController },
  {
    name: "validatingadmissionpolicy-status-controller",
    create: createAdmissionPolicyStatusController,
  },
  { name: "clusterrole-aggregation-controller", create: createClusterRoleAggregationController },
  {
    name: "certificatesigningrequest-approving-controller",
    create: createApprovingController,
  },
  {
    name: "certificatesigningrequest-signing-controller",
    create: ({ clusterSigning }) =>
      clusterSigning === undefined ? undefined : createSigningController(),
  },
  { name: "certificatesigningrequest-cleaner-controller", create: createCleanerController },
  { name: "ephemeral-volume-controller", create: createEphemeralVolumeController },
  {
    name: "persistentvolume-attach-detach-controller",
    create: ({ digests }) =>
      digests === undefined ? undefined : createAttachDetachController(digests),
  },
  { name: "persistentvolume-binder-controller", create: createPersistentVolumeController },
  { name: "persistentvolume-expander-controller", create: createVolumeExpandController },
  { name: "persistentvolumeclaim-protection-controller", create: createClaimProtectionController },
  { name: "persistentvolume-protection-controller", create: createVolumeProtectionController },
  { name: "volumeattributesclass-protection-controller", create: createClassProtectionController },
  { name: "node-lifecycle-controller", create: createNodeLifecycleController },
  { name: "taint-eviction-controller", create: createTaintEvictionController },
  {
    name: "pod-garbage-collector-controller",
    create: ({ terminatedPodGCThreshold }) => createPodGCController(terminatedPodGCThreshold),
  },
  { name: "service-cidr-controller", create: createServiceCIDRController },
  {
    name: "node-ipam-controller",
    create: ({ clusterCIDR, nodeCIDRMaskSize = 24 }) =>
      clusterCIDR === undefined
        ? undefined
        : createNodeIPAMController({ clusterCIDR, nodeCIDRMaskSize }),
  },
];
