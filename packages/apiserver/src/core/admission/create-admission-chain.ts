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
import { alwaysAdmit, alwaysDeny } from "./always.ts";
import { alwaysPullImages } from "./always-pull-images.ts";
import { certificateSubjectRestriction, createCertificatePlugins } from "./certificates.ts";
import { defaultIngressClass, runtimeClass } from "./classes.ts";
import { limitRanger } from "./limit-ranger.ts";
import {
  denyServiceExternalIPs,
  limitPodHardAntiAffinityTopology,
  namespaceExists,
} from "./limits-on-request.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { createNodeRestriction } from "./node-restriction/node-restriction.ts";
import { createOwnerReferences } from "./owner-references.ts";
import type {
  AdmissionAttributes,
  AdmissionPass,
  AdmissionPlugin,
  AdmissionReader,
} from "./plugin.ts";
import { podResizeValidator } from "./pod-resize.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { podTopologyLabels } from "./pod-topology.ts";
import { createMutatingPolicies } from "./policy/mutating.ts";
import { createValidatingPolicies } from "./policy/validating.ts";
import { priority } from "./priority.ts";
import { createResourceQuota, type QuotaWriter } from "./resource-quota/resource-quota.ts";
import { createServiceAccountPlugin } from "./service-account.ts";
import {
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from "./storage.ts";
import {
  defaultTolerationSeconds,
  extendedResourceToleration,
  taintNodesByCondition,
} from "./tolerations.ts";
import type { WebhookCaller } from "./webhooks/caller.ts";
import { createMutatingWebhooks } from "./webhooks/mutating.ts";
import { createValidatingWebhooks } from "./webhooks/validating.ts";
import type { ServedVersions } from "./webhooks/versions.ts";
import { WebhookMetrics } from "./webhooks/webhook-metrics.ts";

export interface AdmissionChainOptions {
  reader: AdmissionReader;
  clock: Clock;
  random: Random;
  log: Log;
  authorizer: Authorizer;
  /** By name, besides those that are on by themselves. */
  enable?: readonly string[];
  disable?: readonly string[];
  /** Sends admission reviews; absent, a webhook that matches is one that cannot be reached. */
  callWebhook?: WebhookCaller;
  webhookMetrics?: WebhookMetrics;
  /** Every resource in every version; absent, nothing has another version. */
  served?: ServedVersions;
  /** Keeps what quotas have used; absent, they are only looked at. */
  quotas?: QuotaWriter;
}

export interface AdmissionChain {
  admit(attributes: AdmissionAttributes): Promise<void>;
  validate(attributes: AdmissionAttributes): Promise<void>;
}

/** Only when asked for. */
const offByDefault = new Set([
  "AlwaysAdmit",
  "AlwaysDeny",
  "AlwaysPullImages",
  "DenyServiceExternalIPs",
  "ExtendedResourceToleration",
  "LimitPodHardAntiAffinityTopology",
  "NamespaceExists",
  "NodeRestriction",
  "OwnerReferencesPermissionEnforcement",
]);

function allPlugins(options: AdmissionChainOptions): AdmissionPlugin[] {
  const { clock, random, log, authorizer, callWebhook, served = () => [] } = options;
  const { webhookMetrics: metrics = new WebhookMetrics() } = options;
  const webhookTools = { call: callWebhook, random, log, authorizer, served, clock, metrics };
  return [
    alwaysAdmit,
    namespaceLifecycle,
    namespaceExists,
    limitPodHardAntiAffinityTopology,
    limitRanger,
    createServiceAccountPlugin(clock, random),
    createNodeRestriction(authorizer),
    taintNodesByCondition,
    alwaysPullImages,
    podSecurity,
    priority,
    defaultTolerationSeconds,
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

export function createAdmissionChain(options: AdmissionChainOptions): AdmissionChain {
  const { reader, enable = [], disable = [] } = options;
  const all = allPlugins(options);
  for (const name of [...enable, ...disable]) {
    if (!all.some((plugin) => plugin.name === name)) {
      throw new Error(`admission plugin "${name}" is unknown`);
    }
  }
  const plugins = all.filter(
    ({ name }) => !disable.includes(name) && (!offByDefault.has(name) || enable.includes(name)),
  );
  return {
    async admit(attributes) {
      const pass = createPass();
      const go = async () => {
        for (const plugin of plugins) {
          if (!plugin.admit || !plugin.handles(attributes)) continue;
          await plugin.admit(attributes, reader, pass);
        }
      };
      await go();
      if (!pass.needsSecond) return;
      pass.isSecond = true;
      await go();
    },
    async validate(attributes) {
      for (const plugin of plugins) {
        if (plugin.validate && plugin.handles(attributes)) {
          await plugin.validate(attributes, reader);
        }
      }
    },
  };
}
