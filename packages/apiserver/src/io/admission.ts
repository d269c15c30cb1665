/**
 * The admission chain: the plugins that were asked for, then the checks that are no plugin.
 *
 * Nobody may grant what they do not hold: role writes are checked here, where every write passes.
 */

import type { AdmissionMetrics } from "../core/admission/admission-metrics.ts";
import { createAdmissionChain } from "../core/admission/create-admission-chain.ts";
import type { AdmissionAttributes } from "../core/admission/plugin.ts";
import { checkParamAccess } from "../core/admission/policy/param-access.ts";
import type { QuotaWriter } from "../core/admission/resource-quota/resource-quota.ts";
import type { ServedVersions } from "../core/admission/webhooks/versions.ts";
import type { ServerAuthorizer } from "../core/authorization/create-authorizer.ts";
import { checkEscalation, type RoleWrite } from "../core/authorization/escalation.ts";
import { type FeatureGates, usualGates } from "../core/feature-gates.ts";
import type { LocalClient } from "../core/local-client.ts";
import type { ObjectReader } from "../core/object-reader.ts";
import type { AdmissionChain } from "../core/rest/context.ts";
import { systemUser } from "../core/system-user.ts";
import type { ApiServerOptions } from "./api-server.ts";
import { createWebhookCaller } from "./webhook-caller.ts";

export interface AdmissionDeps {
  reader: ObjectReader;
  authorizer: ServerAuthorizer;
  served: ServedVersions;
  admissionMetrics: AdmissionMetrics;
  /** The server's own way into its API, which is ready before the first request. */
  local(): LocalClient;
}

const rbacGroup = "rbac.authorization.k8s.io";

export function createAdmission(options: ApiServerOptions, deps: AdmissionDeps): AdmissionChain {
  const { clock, random, log, admission, featureGates: gates = usualGates } = options;
  const { reader, authorizer, served, local } = deps;
  const chain = createAdmissionChain({
    reader,
    authorizer,
    clock,
    random,
    log,
    enable: admission?.enable ?? ["NodeRestriction"],
    disable: [...(admission?.disable ?? []), ...switchedOff(gates)],
    gates,
    tolerationSeconds: admission?.tolerationSeconds,
    configurations: admission?.configurations,
    imagePolicy: admission?.imagePolicy,
    makeNamespace: (namespace) => local().create("/api/v1/namespaces", namespace),
    callWebhook: createWebhookCaller(reader, options.aggregatorRouting ?? false),
    served,
    metrics: deps.admissionMetrics,
    quotas: quotaWriter(local),
  });
  return {
    admit: (attributes) => chain.admit(attributes),
    async validate(attributes) {
      await checkRoles(attributes, authorizer);
      await checkParamAccess(attributes, reader, { authorizer, served });
      await chain.validate(attributes);
    },
  };
}

/** Plugins that do nothing while their gate is off. */
function switchedOff(gates: FeatureGates): string[] {
  const guarded = {
    MutatingAdmissionPolicy: "MutatingAdmissionPolicy",
    PodTopologyLabelsAdmission: "PodTopologyLabels",
  };
  return Object.entries(guarded).flatMap(([gate, plugin]) => (gates.isOn(gate) ? [] : [plugin]));
}

function quotaWriter(local: () => LocalClient): QuotaWriter {
  const pathOf = (namespace: string, name: string) =>
    `/api/v1/namespaces/${namespace}/resourcequotas/${name}`;
  return {
    read: (namespace, name) => local().get(pathOf(namespace, name)),
    writeStatus(quota) {
      const { namespace = "", name = "" } = quota.metadata ?? {};
      return local().update(`${pathOf(namespace, name)}/status`, quota);
    },
  };
}

async function checkRoles(
  attributes: AdmissionAttributes,
  authorizer: ServerAuthorizer,
): Promise<void> {
  const { resource, operation, object, oldObject, user, namespace } = attributes;
  const { rbac } = authorizer;
  if (resource.group !== rbacGroup || rbac === undefined || object === undefined) return;
  if (operation !== "CREATE" && operation !== "UPDATE") return;
  if (user.name === systemUser.name) return;
  const write: RoleWrite = {
    user,
    plural: resource.plural as RoleWrite["plural"],
    namespace,
    object,
    ...(oldObject === undefined ? {} : { old: oldObject }),
  };
  await checkEscalation({ authorizer, rbac }, write);
}
