/**
 * ServiceAccount: every pod has one, and finds its token, the cluster's CA and its namespace
 * mounted at /var/run/secrets/kubernetes.io/serviceaccount.
 *
 * Source  plugin/pkg/admission/serviceaccount/admission.go
 */
import type { Pod, ServiceAccount, Volume } from "@nanokube/api/core/v1";
import { type Clock, type Random, sleep } from "@nanokube/machinery";
import { podReferences } from "../authorization/pod-references.ts";
import type { ObjectReader } from "../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
const mirrorPod = "kubernetes.io/config.mirror";
/** Letters and digits that make no words. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

function tokenVolume(name: string): Volume {
  const fieldRef = { apiVersion: "v1", fieldPath: "metadata.namespace" };
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        { downwardAPI: { items: [{ path: "namespace", fieldRef }] } },
      ],
    },
  };
}

function mountToken(pod: Pod, random: Random): void {
  pod.spec ??= {};
  const { spec } = pod;
  const own = spec.volumes?.find((volume) => volume.name?.startsWith(volumePrefix));
  const suffix = () =>
    Array.from({ length: 5 }, () => alphabet[Math.floor(random.next() * alphabet.length)]).join("");
  const name = own?.name ?? volumePrefix + suffix();
  let needed = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue;
    const mount = { name, readOnly: true, mountPath };
    container.volumeMounts = [...(container.volumeMounts ?? []), mount];
    needed = true;
  }
  if (needed && own === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function checkMirror(attributes: AdmissionAttributes, pod: Pod): void {
  if (pod.spec?.serviceAccountName) {
    throw refuse(attributes, "a mirror pod may not reference service accounts");
  }
  if (podReferences(pod).secrets.size > 0) {
    throw refuse(attributes, "a mirror pod may not reference secrets");
  }
  const projections = (pod.spec?.volumes ?? []).flatMap(
    (volume) => volume.projected?.sources ?? [],
  );
  if (projections.some((source) => source.serviceAccountToken !== undefined)) {
    throw refuse(attributes, "a mirror pod may not use ServiceAccountToken volume projections");
  }
}

async function lookUp(
  reader: ObjectReader,
  clock: Clock,
  namespace: string,
  name: string,
): Promise<ServiceAccount | undefined> {
  // A new namespace's default account comes a moment later, from its controller.
  const attempts = name === "default" ? 10 : 1;
  for (let attempt = 1; ; attempt++) {
    const found = await reader.get("", "serviceaccounts", namespace, name);
    if (found !== undefined || attempt >= attempts) return found as ServiceAccount | undefined;
    await sleep(clock, 150);
  }
}

export function createServiceAccountPlugin(clock: Clock, random: Random): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    handles: (attributes) => attributes.operation === "CREATE" && isFor(attributes, "", "pods"),
    async admit(attributes, reader) {
      const pod = attributes.object as Pod;
      if (pod.metadata?.annotations?.[mirrorPod] !== undefined) {
        checkMirror(attributes, pod);
        return;
      }
      pod.spec ??= {};
      const { spec } = pod;
      spec.serviceAccountName ||= "default";
      // Both names of the field travel together.
      spec.serviceAccount = spec.serviceAccountName;
      const { namespace } = attributes;
      const name = spec.serviceAccountName;
      const account = await lookUp(reader, clock, namespace, name);
      if (account === undefined) {
        const why = `serviceaccount "${name}" not found`;
        throw refuse(attributes, `error looking up service account ${namespace}/${name}: ${why}`);
      }
      const automount =
        spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
      if (automount) mountToken(pod, random);
      const pullSecrets = account.imagePullSecrets ?? [];
      if ((spec.imagePullSecrets ?? []).length === 0 && pullSecrets.length > 0) {
        spec.imagePullSecrets = pullSecrets.map((secret) => ({ name: secret.name ?? "" }));
      }
    },
    validate(attributes) {
      const pod = attributes.object as Pod;
      if (pod.metadata?.annotations?.[mirrorPod] !== undefined) checkMirror(attributes, pod);
    },
  };
}
