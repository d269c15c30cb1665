/**
 * Security settings of a container as CRI takes them: the container's own win over the pod's.
 *
 * Errors  runAsNonRoot that cannot be kept: upstream's text (CreateContainerConfigError)
 * Source  pkg/securitycontext/util.go, pkg/kubelet/kuberuntime/security_context.go
 */
import type { Container, Pod, SeccompProfile } from "@nanokube/api/core/v1";
import { formatPod, isHostNetwork } from "./pod.ts";

/** CRI's NamespaceMode. */
export const NAMESPACE = { POD: 0, CONTAINER: 1, NODE: 2, TARGET: 3 } as const;
/** CRI's SecurityProfile.ProfileType. */
export const PROFILE = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const;

const MASKED_PATHS = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** The user an image asks for: a number, or a name only the image can resolve. */
export interface ImageUser {
  uid: number | undefined;
  username: string;
}

export function namespaceOptions(pod: Pod, targetID = "") {
  const spec = pod.spec;
  let pid: number = NAMESPACE.CONTAINER;
  if (spec?.hostPID === true) pid = NAMESPACE.NODE;
  else if (spec?.shareProcessNamespace === true) pid = NAMESPACE.POD;
  const target = targetID !== "" && pid === NAMESPACE.CONTAINER;
  return {
    network: isHostNetwork(pod) ? NAMESPACE.NODE : NAMESPACE.POD,
    pid: target ? NAMESPACE.TARGET : pid,
    ipc: spec?.hostIPC === true ? NAMESPACE.NODE : NAMESPACE.POD,
    ...(target ? { targetId: targetID } : {}),
  };
}

export function seccompProfile(profile: SeccompProfile | undefined, seccompRoot: string) {
  if (profile?.type === "RuntimeDefault") return { profileType: PROFILE.RuntimeDefault };
  if (profile?.type === "Localhost") {
    if (!profile.localhostProfile) {
      throw new Error("localhostProfile must be set if seccompProfile type is Localhost.");
    }
    const localhostRef = `${seccompRoot}/${profile.localhostProfile}`;
    return { profileType: PROFILE.Localhost, localhostRef };
  }
  return { profileType: PROFILE.Unconfined };
}

export function supplementalGroups(pod: Pod, volumeGroups: readonly number[]): number[] {
  const context = pod.spec?.securityContext;
  return [
    ...(context?.fsGroup === undefined ? [] : [context.fsGroup]),
    ...(context?.supplementalGroups ?? []),
    ...volumeGroups,
  ];
}

export const groupsPolicy = (pod: Pod): number =>
  pod.spec?.securityContext?.supplementalGroupsPolicy === "Strict" ? 1 : 0;

/** Refuses a container that would run as root though it must not. */
export function verifyRunAsNonRoot(pod: Pod, container: Container, image: ImageUser): void {
  const own = container.securityContext;
  const whole = pod.spec?.securityContext;
  if ((own?.runAsNonRoot ?? whole?.runAsNonRoot) !== true) return;
  const where = `(pod: "${formatPod(pod)}", container: ${container.name})`;
  const user = own?.runAsUser ?? whole?.runAsUser;
  if (user !== undefined) {
    if (user === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  if (image.uid === undefined && image.username !== "") {
    throw new Error(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  }
  if (image.uid === 0) {
    throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
  }
}

export interface SecurityInput {
  pod: Pod;
  container: Container;
  image: ImageUser;
  seccompRoot: string;
  volumeGroups: readonly number[];
  /** Ephemeral containers may look into another container's processes. */
  targetID: string;
}

const int64 = (value: number | undefined) => (value === undefined ? undefined : { value });

export function containerSecurityContext(input: SecurityInput) {
  const { pod, container, image } = input;
  const own = container.securityContext;
  const whole = pod.spec?.securityContext;
  const user = own?.runAsUser ?? whole?.runAsUser ?? image.uid;
  const group = own?.runAsGroup ?? whole?.runAsGroup;
  const unmasked = own?.procMount === "Unmasked";
  const explicitUser = own?.runAsUser ?? whole?.runAsUser;
  const apparmor = own?.appArmorProfile ?? whole?.appArmorProfile;
  return {
    ...(own?.capabilities === undefined
      ? {}
      : {
          capabilities: {
            addCapabilities: [...(own.capabilities.add ?? [])],
            dropCapabilities: [...(own.capabilities.drop ?? [])],
          },
        }),
    privileged: own?.privileged === true,
    namespaceOptions: namespaceOptions(pod, input.targetID),
    ...(user === undefined ? {} : { runAsUser: int64(user) }),
    ...(group === undefined ? {} : { runAsGroup: int64(group) }),
    runAsUsername: explicitUser === undefined ? image.username : "",
    readonlyRootfs: own?.readOnlyRootFilesystem === true,
    supplementalGroups: supplementalGroups(pod, input.volumeGroups),
    supplementalGroupsPolicy: groupsPolicy(pod),
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: seccompProfile(own?.seccompProfile ?? whole?.seccompProfile, input.seccompRoot),
    ...(apparmor === undefined
      ? {}
      : {
          apparmor: {
            profileType:
              PROFILE[
                apparmor.type === "Localhost" ? "Localhost" : (apparmor.type as "Unconfined")
              ],
            localhostRef: apparmor.localhostProfile ?? "",
          },
        }),
  };
}
