/**
 * The baseline level: nothing that is known to lead out of the container.
 *
 * Source  staging/src/k8s.io/pod-security-admission/policy/check_*.go
 */
import type { LifecycleHandler, Probe, SELinuxOptions } from "@nanokube/api/core/v1";
import { quoteGo } from "@nanokube/machinery";
import type { Check, PodToCheck, Violation } from "./check.ts";
import { named, ownUsers, plural, quoteAll, setters, sorted } from "./check.ts";

const allowedProfiles = new Set(["RuntimeDefault", "Localhost"]);
const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

const appArmor: Check = {
  id: "appArmorProfile",
  level: "baseline",
  run({ metadata, spec, containers }) {
    const podType = spec.securityContext?.appArmorProfile?.type;
    const isBad = (type: string | undefined) => type !== undefined && !allowedProfiles.has(type);
    const bad = containers.filter((c) => isBad(c.securityContext?.appArmorProfile?.type));
    const types = bad.map((c) => c.securityContext?.appArmorProfile?.type ?? "");
    if (isBad(podType)) types.push(podType ?? "");
    const annotations = Object.entries(metadata.annotations ?? {})
      .filter(([key]) => key.startsWith(appArmorPrefix))
      .filter(([, profile]) => profile !== "" && profile !== "runtime/default")
      .filter(([, profile]) => !profile.startsWith("localhost/"))
      .map(([key, profile]) => `${key}=${quoteGo(profile)}`)
      .sort();
    const who = [setters(isBad(podType), bad)].filter((text) => text !== "");
    if (annotations.length > 0) who.push(plural("annotation", annotations.length));
    if (who.length === 0) return undefined;
    const values = [...sorted(types), ...annotations];
    return {
      reason: plural("forbidden AppArmor profile", values.length),
      detail: `${who.join(" and ")} must not set AppArmor profile type to ${quoteAll(values)}`,
    };
  },
};

const defaultCapabilities = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  ),
);

const capabilities: Check = {
  id: "capabilities_baseline",
  level: "baseline",
  run({ containers }) {
    const beyond = (c: (typeof containers)[number]) =>
      (c.securityContext?.capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name));
    const bad = containers.filter((c) => beyond(c).length > 0);
    if (bad.length === 0) return undefined;
    const added = quoteAll(sorted(bad.flatMap(beyond)));
    const where = "in securityContext.capabilities.add";
    return {
      reason: "non-default capabilities",
      detail: `${named("container", bad)} must not include ${added} ${where}`,
    };
  },
};

const hostNamespaces: Check = {
  id: "hostNamespaces",
  level: "baseline",
  run({ spec }) {
    const fields = ["hostNetwork", "hostPID", "hostIPC"] as const;
    const used = fields.filter((field) => spec[field]).map((field) => `${field}=true`);
    return used.length === 0 ? undefined : { reason: "host namespaces", detail: used.join(", ") };
  },
};

const hostPaths: Check = {
  id: "hostPathVolumes",
  level: "baseline",
  run({ spec }) {
    const bad = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined);
    if (bad.length === 0) return undefined;
    return { reason: "hostPath volumes", detail: named("volume", bad) };
  },
};

const hostPorts: Check = {
  id: "hostPorts",
  level: "baseline",
  run({ containers }) {
    const portsOf = (c: (typeof containers)[number]) =>
      (c.ports ?? []).filter((port) => port.hostPort).map((port) => String(port.hostPort));
    const bad = containers.filter((c) => portsOf(c).length > 0);
    if (bad.length === 0) return undefined;
    const ports = sorted(bad.flatMap(portsOf));
    const use = bad.length === 1 ? "uses" : "use";
    const what = `${plural("hostPort", ports.length)} ${ports.join(", ")}`;
    return { reason: "hostPort", detail: `${named("container", bad)} ${use} ${what}` };
  },
};

const hostsOf = (handler: Probe | LifecycleHandler | undefined): string[] =>
  [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host): host is string => !!host);

const hostProbes: Check = {
  id: "hostProbesAndHostLifecycle",
  level: "baseline",
  since: 34,
  run({ containers }) {
    const all = (c: (typeof containers)[number]) => [
      ...[c.livenessProbe, c.readinessProbe, c.startupProbe].flatMap(hostsOf),
      ...[c.lifecycle?.postStart, c.lifecycle?.preStop].flatMap(hostsOf),
    ];
    const bad = sorted(containers.filter((c) => all(c).length > 0).map((c) => c.name ?? ""));
    if (bad.length === 0) return undefined;
    const hosts = sorted(containers.flatMap(all));
    const who = `${plural("container", bad.length)} ${quoteAll(bad)}`;
    const use = bad.length === 1 ? "uses" : "use";
    const what = `${plural("probe or lifecycle host", hosts.length)} ${quoteAll(hosts)}`;
    return { reason: "probe or lifecycle host", detail: `${who} ${use} ${what}` };
  },
};

const privileged: Check = {
  id: "privileged",
  level: "baseline",
  run({ containers }) {
    const bad = containers.filter((c) => c.securityContext?.privileged);
    if (bad.length === 0) return undefined;
    const detail = `${named("container", bad)} must not set securityContext.privileged=true`;
    return { reason: "privileged", detail };
  },
};

export function procMountViolation({ containers }: PodToCheck): Violation | undefined {
  const typeOf = (c: (typeof containers)[number]) => c.securityContext?.procMount ?? "Default";
  const bad = containers.filter((c) => typeOf(c) !== "Default");
  if (bad.length === 0) return undefined;
  const types = quoteAll(sorted(bad.map(typeOf)));
  const detail = `${named("container", bad)} must not set securityContext.procMount to ${types}`;
  return { reason: "procMount", detail };
}

const procMount: Check = {
  id: "procMount",
  level: "baseline",
  run: (pod, minor) => (ownUsers(pod, minor) ? undefined : procMountViolation(pod)),
};

const seLinuxTypes = new Set(["", "container_t", "container_init_t", "container_kvm_t"]);

const seLinux: Check = {
  id: "seLinuxOptions",
  level: "baseline",
  run({ spec, containers }, minor) {
    const badType = (options: SELinuxOptions) => {
      const type = options.type ?? "";
      return !seLinuxTypes.has(type) && !(minor >= 31 && type === "container_engine_t");
    };
    const isBad = (options: SELinuxOptions | undefined) =>
      options !== undefined && (badType(options) || !!options.user || !!options.role);
    const pod = spec.securityContext?.seLinuxOptions;
    const bad = containers.filter((c) => isBad(c.securityContext?.seLinuxOptions));
    const all = [pod, ...bad.map((c) => c.securityContext?.seLinuxOptions)].filter(
      (options) => options !== undefined,
    );
    if (!all.some(isBad)) return undefined;
    const types = sorted(all.filter(badType).map((options) => options.type ?? ""));
    const data = types.length > 0 ? [`${plural("type", types.length)} ${quoteAll(types)}`] : [];
    if (all.some((options) => options.user)) data.push("user may not be set");
    if (all.some((options) => options.role)) data.push("role may not be set");
    const who = setters(isBad(pod), bad);
    const what = `set forbidden securityContext.seLinuxOptions: ${data.join("; ")}`;
    return { reason: "seLinuxOptions", detail: `${who} ${what}` };
  },
};

export function badSeccomp(pod: PodToCheck): Violation | undefined {
  const isBad = (type: string | undefined) => type !== undefined && !allowedProfiles.has(type);
  const podType = pod.spec.securityContext?.seccompProfile?.type;
  const typeOf = (c: PodToCheck["containers"][number]) => c.securityContext?.seccompProfile?.type;
  const bad = pod.containers.filter((c) => isBad(typeOf(c)));
  if (!isBad(podType) && bad.length === 0) return undefined;
  const types = bad.map((c) => typeOf(c) ?? "");
  if (isBad(podType)) types.push(podType ?? "");
  const who = setters(isBad(podType), bad);
  const what = `must not set securityContext.seccompProfile.type to ${quoteAll(sorted(types))}`;
  return { reason: "seccompProfile", detail: `${who} ${what}` };
}

function badSeccompAnnotations({ metadata, containers }: PodToCheck): Violation | undefined {
  const keys = [
    "seccomp.security.alpha.kubernetes.io/pod",
    ...containers.map((c) => `container.seccomp.security.alpha.kubernetes.io/${c.name}`),
  ];
  const isFine = (value: string) =>
    value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/");
  const bad = keys.flatMap((key) => {
    const value = metadata.annotations?.[key];
    return value === undefined || isFine(value) ? [] : [`${key}=${quoteGo(value)}`];
  });
  if (bad.length === 0) return undefined;
  const list = sorted(bad);
  const detail = `forbidden ${plural("annotation", list.length)} ${list.join(", ")}`;
  return { reason: "seccompProfile", detail };
}

const seccomp: Check = {
  id: "seccompProfile_baseline",
  level: "baseline",
  run: (pod, minor) => (minor < 19 ? badSeccompAnnotations(pod) : badSeccomp(pod)),
};

/** Name, and the minor version from which it is allowed. */
const safeSysctls = new Map([
  ["kernel.shm_rmid_forced", 0],
  ["net.ipv4.ip_local_port_range", 0],
  ["net.ipv4.tcp_syncookies", 0],
  ["net.ipv4.ping_group_range", 0],
  ["net.ipv4.ip_unprivileged_port_start", 0],
  ["net.ipv4.ip_local_reserved_ports", 27],
  ["net.ipv4.tcp_keepalive_time", 29],
  ["net.ipv4.tcp_fin_timeout", 29],
  ["net.ipv4.tcp_keepalive_intvl", 29],
  ["net.ipv4.tcp_keepalive_probes", 29],
  ["net.ipv4.tcp_rmem", 32],
  ["net.ipv4.tcp_wmem", 32],
]);

const sysctls: Check = {
  id: "sysctls",
  level: "baseline",
  run({ spec }, minor) {
    const bad = (spec.securityContext?.sysctls ?? [])
      .map((sysctl) => sysctl.name ?? "")
      .filter((name) => (safeSysctls.get(name) ?? Number.POSITIVE_INFINITY) > minor);
    return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
  },
};

const windowsHostProcess: Check = {
  id: "windowsHostProcess",
  level: "baseline",
  run({ spec, containers }) {
    const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
    const bad = containers.filter((c) => c.securityContext?.windowsOptions?.hostProcess);
    if (!pod && bad.length === 0) return undefined;
    const what = "must not set securityContext.windowsOptions.hostProcess=true";
    return { reason: "hostProcess", detail: `${setters(pod, bad)} ${what}` };
  },
};

/** In order of their ids, which is the order of the answers. */
export const baselineChecks: readonly Check[] = [
  appArmor,
  capabilities,
  hostNamespaces,
  hostPaths,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinux,
  seccomp,
  sysctls,
  windowsHostProcess,
];
