/**
 * DenyServiceExternalIPs: no new external addresses of Services.
 * LimitPodHardAntiAffinityTopology: a pod may keep others off its node, not off more.
 * NamespaceExists: nothing is written or deleted in a namespace that is not there.
 *
 * All off until asked for.
 * Source  plugin/pkg/admission/{network/denyserviceexternalips,antiaffinity,namespace/exists}
 */
import type { Pod, Service } from "@nanokube/api/core/v1";
import { notFound } from "@nanokube/machinery";
import type { AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

const isWrite = (operation: string): boolean => ["CREATE", "UPDATE"].includes(operation);

export const denyServiceExternalIPs: AdmissionPlugin = {
  name: "DenyServiceExternalIPs",
  handles: (attributes) => isWrite(attributes.operation) && isFor(attributes, "", "services"),
  validate(attributes) {
    const known = (attributes.oldObject as Service | undefined)?.spec?.externalIPs ?? [];
    const wanted = (attributes.object as Service).spec?.externalIPs ?? [];
    if (wanted.every((ip) => known.includes(ip))) return;
    throw refuse(attributes, "Use of external IPs is denied by admission control");
  },
};

const hostname = "kubernetes.io/hostname";

export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: "LimitPodHardAntiAffinityTopology",
  handles: (attributes) => isWrite(attributes.operation) && isFor(attributes, "", "pods"),
  validate(attributes) {
    const { podAntiAffinity } = (attributes.object as Pod).spec?.affinity ?? {};
    const terms = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const other = terms.find(({ topologyKey }) => topologyKey !== hostname);
    if (other === undefined) return;
    const why = `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${other.topologyKey}`;
    throw refuse(attributes, `${why} but only key ${hostname} is allowed`);
  },
};

export const namespaceExists: AdmissionPlugin = {
  name: "NamespaceExists",
  handles: ({ operation, namespace, resource }) =>
    operation !== "CONNECT" && namespace !== "" && resource.plural !== "namespaces",
  async validate({ namespace }, reader) {
    if ((await reader.get("", "namespaces", "", namespace)) !== undefined) return;
    throw notFound({ group: "", resource: "namespaces" }, namespace);
  },
};
