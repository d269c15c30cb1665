/**
 * The restricted level: what pods should do by best practice.
 *
 * Source  staging/src/k8s.io/pod-security-admission/policy/check_*.go
 */
import type { Container, Volume } from "@nanokube/api/core/v1";
import { badSeccomp, procMountViolation } from "./baseline.ts";
import type { Check } from "./check.ts";
import { isWindows, named, ownUsers, plural, quoteAll, setters, sorted } from "./check.ts";

const privilegeEscalation: Check = {
  id: "allowPrivilegeEscalation",
  level: "restricted",
  since: 8,
  run(pod, minor) {
    if (isWindows(pod, minor)) return undefined;
    const bad = pod.containers.filter((c) => c.securityContext?.allowPrivilegeEscalation !== false);
    if (bad.length === 0) return undefined;
    const what = "must set securityContext.allowPrivilegeEscalation=false";
    const detail = `${named("container", bad)} ${what}`;
    return { reason: "allowPrivilegeEscalation != false", detail };
  },
};

const capabilities: Check = {
  id: "capabilities_restricted",
  level: "restricted",
  since: 22,
  overrides: "capabilities_baseline",
  run(pod, minor) {
    if (isWindows(pod, minor)) return undefined;
    const of = (c: Container) => c.securityContext?.capabilities;
    const added = (c: Container) =>
      (of(c)?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
    const keeping = pod.containers.filter((c) => !of(c)?.drop?.includes("ALL"));
    const adding = pod.containers.filter((c) => added(c).length > 0);
    const details: string[] = [];
    if (keeping.length > 0) {
      const what = `must set securityContext.capabilities.drop=["ALL"]`;
      details.push(`${named("container", keeping)} ${what}`);
    }
    if (adding.length > 0) {
      const names = quoteAll(sorted(adding.flatMap(added)));
      const what = `must not include ${names} in securityContext.capabilities.add`;
      details.push(`${named("container", adding)} ${what}`);
    }
    if (details.length === 0) return undefined;
    return { reason: "unrestricted capabilities", detail: details.join("; ") };
  },
};

const procMount: Check = {
  id: "procMount_restricted",
  level: "restricted",
  since: 35,
  overrides: "procMount",
  run: procMountViolation,
};

const allowedVolumes: readonly (keyof Volume)[] = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

const restrictedVolumes: readonly (keyof Volume)[] = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "gitRepo",
  "nfs",
  "iscsi",
  "glusterfs",
  "rbd",
  "flexVolume",
  "cinder",
  "cephfs",
  "flocker",
  "fc",
  "azureFile",
  "vsphereVolume",
  "quobyte",
  "azureDisk",
  "photonPersistentDisk",
  "portworxVolume",
  "scaleIO",
  "storageos",
];

const volumes: Check = {
  id: "restrictedVolumes",
  level: "restricted",
  overrides: "hostPathVolumes",
  run({ spec }) {
    const bad = (spec.volumes ?? []).filter(
      (volume) => !allowedVolumes.some((type) => volume[type] !== undefined),
    );
    if (bad.length === 0) return undefined;
    const typeOf = (volume: Volume) =>
      restrictedVolumes.find((type) => volume[type] !== undefined) ?? "unknown";
    const types = sorted(bad.map(typeOf));
    const use = bad.length === 1 ? "uses" : "use";
    const what = `${plural("restricted volume type", types.length)} ${quoteAll(types)}`;
    const detail = `${named("volume", bad)} ${use} ${what}`;
    return { reason: "restricted volume types", detail };
  },
};

const runAsNonRoot: Check = {
  id: "runAsNonRoot",
  level: "restricted",
  run(pod, minor) {
    if (ownUsers(pod, minor)) return undefined;
    const reason = "runAsNonRoot != true";
    const own = pod.spec.securityContext?.runAsNonRoot;
    const of = (c: Container) => c.securityContext?.runAsNonRoot;
    const explicit = pod.containers.filter((c) => of(c) === false);
    if (own === false || explicit.length > 0) {
      const who = setters(own === false, explicit);
      return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
    }
    const silent = pod.containers.filter((c) => of(c) === undefined);
    if (own === true || silent.length === 0) return undefined;
    const what = "must set securityContext.runAsNonRoot=true";
    return { reason, detail: `pod or ${named("container", silent)} ${what}` };
  },
};

const runAsUser: Check = {
  id: "runAsUser",
  level: "restricted",
  since: 23,
  run(pod, minor) {
    if (ownUsers(pod, minor)) return undefined;
    const own = pod.spec.securityContext?.runAsUser === 0;
    const bad = pod.containers.filter((c) => c.securityContext?.runAsUser === 0);
    if (!own && bad.length === 0) return undefined;
    return { reason: "runAsUser=0", detail: `${setters(own, bad)} must not set runAsUser=0` };
  },
};

const seccomp: Check = {
  id: "seccompProfile_restricted",
  level: "restricted",
  since: 19,
  overrides: "seccompProfile_baseline",
  run(pod, minor) {
    if (isWindows(pod, minor)) return undefined;
    const bad = badSeccomp(pod);
    if (bad !== undefined) return bad;
    if (pod.spec.securityContext?.seccompProfile !== undefined) return undefined;
    const silent = pod.containers.filter((c) => c.securityContext?.seccompProfile === undefined);
    if (silent.length === 0) return undefined;
    const what = `must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
    return { reason: "seccompProfile", detail: `pod or ${named("container", silent)} ${what}` };
  },
};

/** In order of their ids, which is the order of the answers. */
export const restrictedChecks: readonly Check[] = [
  privilegeEscalation,
  capabilities,
  procMount,
  volumes,
  runAsNonRoot,
  runAsUser,
  seccomp,
];
