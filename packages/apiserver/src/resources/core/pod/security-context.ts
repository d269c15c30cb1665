/**
 * Security contexts of containers and pods.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateSecurityContext,
 *         validatePodSpecSecurityContext
 */
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "@nanokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
  tooLong,
} from "../../field.ts";
import { byteLength, idNumber } from "../../names.ts";
import { validateLocalPath } from "../../paths.ts";
import { validateWindowsOptions } from "./windows-options.ts";

function validateID(id: number | undefined, path: FieldPath): FieldError[] {
  return id === undefined ? [] : idNumber(id).map((why) => invalid(path, id, why));
}

function validateSeccomp(profile: SeccompProfile | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const errors: FieldError[] = [];
  if (!type)
    errors.push(required(path.child("type"), "type is required when seccompProfile is set"));
  else
    errors.push(...oneOf(path.child("type"), type, ["Localhost", "RuntimeDefault", "Unconfined"]));
  const at = path.child("localhostProfile");
  if (type === "Localhost") {
    if (localhostProfile === undefined) {
      errors.push(required(at, "must be set when seccomp type is Localhost"));
    } else {
      errors.push(...validateLocalPath(localhostProfile, at));
    }
  } else if (localhostProfile !== undefined) {
    errors.push(invalid(at, profile, "can only be set when seccomp type is Localhost"));
  }
  return errors;
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = path.child("localhostProfile");
  if (!type) return [required(path.child("type"), "type is required when appArmorProfile is set")];
  if (type === "RuntimeDefault" || type === "Unconfined") {
    if (localhostProfile === undefined) return [];
    return [invalid(at, localhostProfile, "can only be set when AppArmor type is Localhost")];
  }
  if (type !== "Localhost") {
    const types = ["Localhost", "RuntimeDefault", "Unconfined"];
    return [notSupported(path.child("type"), type, types)];
  }
  const errors: FieldError[] = [];
  const trimmed = localhostProfile?.trim();
  if (localhostProfile !== undefined && trimmed !== localhostProfile) {
    errors.push(invalid(at, localhostProfile, "must not be padded with whitespace"));
  } else if (!trimmed) {
    errors.push(required(at, "must be set when AppArmor type is Localhost"));
  }
  if (byteLength(localhostProfile ?? "") > 4095) errors.push(tooLong(at, "", 4095));
  return errors;
}

export function validateSecurityContext(
  context: SecurityContext | undefined,
  path: FieldPath,
  hostUsers: boolean,
): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...validateID(context.runAsUser, path.child("runAsUser")),
    ...validateID(context.runAsGroup, path.child("runAsGroup")),
  ];
  const { procMount, privileged, allowPrivilegeEscalation } = context;
  if (procMount !== undefined) {
    const at = path.child("procMount");
    if (procMount !== "Default" && procMount !== "Unmasked") {
      errors.push(notSupported(at, procMount, ["Default", "Unmasked"]));
    }
    if (hostUsers && procMount === "Unmasked") {
      errors.push(invalid(at, procMount, "`hostUsers` must be false to use `Unmasked`"));
    }
  }
  errors.push(...validateSeccomp(context.seccompProfile, path.child("seccompProfile")));
  if (allowPrivilegeEscalation === false) {
    const cannot = "cannot set `allowPrivilegeEscalation` to false and";
    if (privileged) errors.push(invalid(path, context, `${cannot} \`privileged\` to true`));
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      errors.push(invalid(path, context, `${cannot} \`capabilities.Add\` CAP_SYS_ADMIN`));
    }
  }
  return [
    ...errors,
    ...validateWindowsOptions(context.windowsOptions, path.child("windowsOptions")),
    ...validateAppArmor(context.appArmorProfile, path.child("appArmorProfile")),
  ];
}

const sysctlFormat = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
const ipcSysctls = /^(kernel\.(shm|msg)|kernel\.sem|fs\.mqueue)/;

function validateSysctls(context: PodSecurityContext, spec: PodSpec, path: FieldPath) {
  const seen = new Set<string>();
  return (context.sysctls ?? []).flatMap(({ name = "" }, i) => {
    const at = path.index(i).child("name");
    const errors: FieldError[] = [];
    if (name === "") errors.push(required(at));
    else if (name.length > 253 || !new RegExp(sysctlFormat).test(name)) {
      const why = `must have at most 253 characters and match regex ${sysctlFormat}`;
      errors.push(invalid(at, name, why));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    const dotted = name.replaceAll("/", ".");
    if (spec.hostNetwork && dotted.startsWith("net.")) {
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC && ipcSysctls.test(dotted)) {
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
    return errors;
  });
}

export function validatePodSecurityContext(spec: PodSpec, path: FieldPath): FieldError[] {
  const context = spec.securityContext;
  if (context === undefined) return [];
  const errors = [
    ...validateID(context.fsGroup, path.child("fsGroup")),
    ...validateID(context.runAsUser, path.child("runAsUser")),
    ...validateID(context.runAsGroup, path.child("runAsGroup")),
    ...(context.supplementalGroups ?? []).flatMap((id, i) =>
      validateID(id, path.child("supplementalGroups").index(i)),
    ),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    const why = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalid(path.child("shareProcessNamespace"), true, why));
  }
  errors.push(...validateSysctls(context, spec, path.child("sysctls")));
  const choices = [
    ["fsGroupChangePolicy", ["Always", "OnRootMismatch"]],
    ["supplementalGroupsPolicy", ["Merge", "Strict"]],
    ["seLinuxChangePolicy", ["Recursive"]],
  ] as const;
  const [change, groups, selinux] = choices.map(([name, values]) =>
    context[name] === undefined ? [] : oneOf(path.child(name), context[name], values),
  );
  return [
    ...errors,
    ...(change ?? []),
    ...validateSeccomp(context.seccompProfile, path.child("seccompProfile")),
    ...validateWindowsOptions(context.windowsOptions, path.child("windowsOptions")),
    ...validateAppArmor(context.appArmorProfile, path.child("appArmorProfile")),
    ...(groups ?? []),
    ...(selinux ?? []),
  ];
}

/** A pod with users of its own shares neither processes nor IPC with the host. */
export function validateHostUsers(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const why = "when `hostUsers` is false";
  const errors: FieldError[] = [];
  if (spec.hostNetwork) errors.push(forbidden(path.child("hostNetwork"), why));
  if (spec.hostPID) errors.push(forbidden(path.child("HostPID"), why));
  if (spec.hostIPC) errors.push(forbidden(path.child("HostIPC"), why));
  const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
  for (const list of lists) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      if ((container.volumeDevices ?? []).length === 0) continue;
      errors.push(forbidden(path.child(list).index(i).child("volumeDevices"), why));
    }
  }
  return errors;
}
