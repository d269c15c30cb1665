/**
 * The admission plugins in upstream's order: all may change the object, then all may refuse it.
 *
 * Source  pkg/kubeapiserver/options/plugins.go AllOrderedPlugins, DefaultOffAdmissionPlugins
 */
import {
  type Clock,
  deepClone,
  deepEqual,
  type KubeObject,
  type Log,
  type Random,
} from "@nanokube/machinery";
import type { Authorizer } from "../authorization/authorizer.ts";
import { type FeatureGates, usualGates } from "../feature-gates.ts";
import type { ObjectReader } from "../object-reader.ts";
import { AdmissionMetrics } from "./admission-metrics.ts";
import { alwaysAdmit, alwaysDeny } from "./always.ts";
import { alwaysPullImages } from "./always-pull-images.ts";
import { certificateSubjectRestriction, createCertificatePlugins } from "./certificates.ts";
import { defaultIngressClass, runtimeClass } from "./classes.ts";
import { createEventRateLimit } from "./event-rate-limit.ts";
import { createImagePolicyWebhook, type ImagePolicy } from "./image-policy-webhook.ts";
import { limitRanger } from "./limit-ranger.ts";
import {
  denyServiceExternalIPs,
  limitPodHardAntiAffinityTopology,
  namespaceExists,
} from "./limits-on-request.ts";
import { createNamespaceAutoProvision, type NamespaceMaker } from "./namespace-auto-provision.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeDeclaredFeatures } from "./node-declared-features.ts";
import { createNodeRestriction } from "./node-restriction/node-restriction.ts";
import { createOwnerReferences } from "./owner-references.ts";
import type { AdmissionAttributes, AdmissionPass, AdmissionPlugin } from "./plugin.ts";
import { createPodNodeSelector } from "./pod-node-selector.ts";
import { podResizeValidator } from "./pod-resize.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { createPodTolerationRestriction } from "./pod-toleration-restriction.ts";
import { podTopologyLabels } from "./pod-topology.ts";
import { createMutatingPolicies } from "./policy/mutating.ts";
import { createValidatingPolicies } from "./policy/validating.ts";
import { priority } from "./priority.ts";
import { createResourceQuota, type QuotaWriter } from "./resource-quota/resource-quota.ts";
import { PluginRun } from "./run-plugins.ts";
import { createServiceAccountPlugin } from "./service-account.ts";
import {
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from "./storage.ts";
import {
  createDefaultTolerationSeconds,
  extendedResourceToleration,
  type TolerationSeconds,
  taintNodesByCondition,
} from "./tolerations.ts";
import type { WebhookCaller } from "./webhooks/caller.ts";
import { createMutatingWebhooks } from "./webhooks/mutating.ts";
import { createValidatingWebhooks } from "./webhooks/validating.ts";
import type { ServedVersions } from "./webhooks/versions.ts";
import type { WebhookMetrics } from "./webhooks/webhook-metrics.ts";

export interface AdmissionChainOptions {
  reader: ObjectReader;
  clock: Clock;
  random: Random;
  log: Log;
  authorizer: Authorizer;
  /** By name, besides those that are on by themselves. */
  enable?: readonly string[];
  disable?: readonly string[];
  tolerationSeconds?: TolerationSeconds | undefined;
  /** Upstream's defaults unless told. */
  gates?: FeatureGates;
  /** Sends admission reviews; absent, a webhook that matches is one that cannot be reached. */
  callWebhook?: WebhookCaller;
  metrics?: AdmissionMetrics;
  /** Every resource in every version; absent, nothing has another version. */
  served?: ServedVersions;
  /** Of --admission-control-config-file, by plugin. */
  configurations?: ReadonlyMap<string, unknown> | undefined;
  imagePolicy?: ImagePolicy | undefined;
  makeNamespace?: NamespaceMaker;
  /** Keeps what quotas have used; absent, they are only looked at. */
  quotas?: QuotaWriter;
}

export interface AdmissionChain {
  admit(attributes: AdmissionAttributes): Promise<void>;
  validate(attributes: AdmissionAttributes): Promise<void>;
}

/** Some of them have nothing to do while what they guard is off. */
const onByDefault = new Set(
  `CertificateApproval CertificateSigning CertificateSubjectRestriction ClusterTrustBundleAttest
  DefaultIngressClass DefaultStorageClass DefaultTolerationSeconds JobValidation LimitRanger
  MutatingAdmissionPolicy MutatingAdmissionWebhook NamespaceLifecycle NodeDeclaredFeatureValidator
  PersistentVolumeClaimResize PodGroupProtection PodGroupWorkloadExists PodResizeValidator
  PodSecurity PodTopologyLabels Priority ResourceQuota RuntimeClass ServiceAccount
  StorageObjectInUseProtection TaintNodesByCondition ValidatingAdmissionPolicy
  ValidatingAdmissionWebhook`.split(/\s+/),
);

/** Only when asked for. */
const offByDefault = new Set([
  "AlwaysAdmit",
  "AlwaysDeny",
  "AlwaysPullImages",
  "DenyServiceExternalIPs",
  "EventRateLimit",
  "ExtendedResourceToleration",
  "ImagePolicyWebhook",
  "LimitPodHardAntiAffinityTopology",
  "NamespaceAutoProvision",
  "NamespaceExists",
  "NodeRestriction",
  "OwnerReferencesPermissionEnforcement",
  "PodNodeSelector",
  "PodTolerationRestriction",
]);

function allPlugins(options: AdmissionChainOptions, metrics: WebhookMetrics): AdmissionPlugin[] {
  const { clock, random, log, authorizer, callWebhook, served = () => [] } = options;
  const webhookTools = { call: callWebhook, random, log, authorizer, served, clock, metrics };
  const configured = (name: string): unknown => options.configurations?.get(name);
  return [
    alwaysAdmit,
    createNamespaceAutoProvision(options.makeNamespace),
    namespaceLifecycle,
    namespaceExists,
    limitPodHardAntiAffinityTopology,
    limitRanger,
    createServiceAccountPlugin(clock, random),
    createNodeRestriction(authorizer, options.gates ?? usualGates),
    taintNodesByCondition,
    alwaysPullImages,
    createImagePolicyWebhook(options.imagePolicy, clock),
    podSecurity,
    createPodNodeSelector(configured("PodNodeSelector")),
    priority,
    createDefaultTolerationSeconds(options.tolerationSeconds),
    createPodTolerationRestriction(configured("PodTolerationRestriction")),
    createEventRateLimit(configured("EventRateLimit"), clock),
    extendedResourceToleration,
    defaultStorageClass,
    storageObjectInUseProtection,
    createOwnerReferences(authorizer, served),
    persistentVolumeClaimResize,
    runtimeClass,
    ...createCertificatePlugins(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass,
    denyServiceExternalIPs,
    podTopologyLabels,
    nodeDeclaredFeatures,
    podResizeValidator,
    createMutatingPolicies({ authorizer, served }),
    createMutatingWebhooks(webhookTools),
    createValidatingPolicies({ authorizer, served }),
    createValidatingWebhooks(webhookTools),
    createResourceQuota(clock, options.quotas),
    alwaysDeny,
  ];
}

function createPass(): AdmissionPass {
  let seen: KubeObject | undefined;
  return {
    isSecond: false,
    needsSecond: false,
    reinvocable: new Set(),
    toReinvoke: new Set(),
    remember(object) {
      // Kept only when it will be looked at again.
      seen = this.needsSecond ? deepClone(object) : undefined;
    },
    changedSince: (object) => !deepEqual(object, seen),
  };
}

/** Whether upstream has a plugin of this name. */
export function isAdmissionPlugin(name: string): boolean {
  return onByDefault.has(name) || offByDefault.has(name);
}

export function createAdmissionChain(options: AdmissionChainOptions): AdmissionChain {
  const { reader, enable = [], disable = [], metrics = new AdmissionMetrics() } = options;
  const all = allPlugins(options, metrics.webhooks);
  for (const name of [...enable, ...disable]) {
    if (!isAdmissionPlugin(name)) throw new Error(`admission plugin "${name}" is unknown`);
  }
  const plugins = all.filter(
    ({ name }) => !disable.includes(name) && (!offByDefault.has(name) || enable.includes(name)),
  );
  const meter = { metrics, clock: options.clock };
  const mutation = new PluginRun(plugins, "admit", meter);
  const validation = new PluginRun(plugins, "validate", meter);
  return {
    admit(attributes) {
      const pass = createPass();
      const again = (): boolean => {
        if (pass.isSecond || !pass.needsSecond) return false;
        pass.isSecond = true;
        return true;
      };
      return mutation.run(attributes, (plugin) => plugin.admit!(attributes, reader, pass), again);
    },
    validate: (attributes) =>
      validation.run(attributes, (plugin) => plugin.validate!(attributes, reader)),
  };
}
