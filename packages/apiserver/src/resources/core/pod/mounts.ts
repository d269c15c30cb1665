/**
 * Volume mounts and block devices of a container.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateVolumeMounts, ValidateVolumeDevices
 */
import type { Container, Volume, VolumeMount } from "@nanokube/api/core/v1";
import { valueNotFound } from "@nanokube/machinery";
import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../../field.ts";
import { validateLocalPath, validateNoBacksteps } from "../../paths.ts";

export type Volumes = ReadonlyMap<string, Volume>;

function validatePropagation(container: Container, mount: VolumeMount, path: FieldPath) {
  const mode = mount.mountPropagation;
  if (mode === undefined) return [];
  const at = path.child("mountPropagation");
  const errors: FieldError[] = [];
  const modes = ["Bidirectional", "HostToContainer", "None"];
  if (!modes.includes(mode)) errors.push(notSupported(at, mode, modes));
  if (mode === "Bidirectional" && !container.securityContext?.privileged) {
    const why = "Bidirectional mount propagation is available only to privileged containers";
    errors.push(forbidden(at, why));
  }
  return errors;
}

function validateRecursiveReadOnly(mount: VolumeMount, path: FieldPath): FieldError[] {
  const value = mount.recursiveReadOnly;
  if (value === undefined || value === "Disabled") return [];
  const at = path.child("recursiveReadOnly");
  if (value !== "Enabled" && value !== "IfPossible") {
    return [notSupported(at, value, ["Disabled", "Enabled", "IfPossible"])];
  }
  const errors: FieldError[] = [];
  if (!mount.readOnly) {
    errors.push(forbidden(at, "may only be specified when readOnly is true"));
  }
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") {
    const why = "may only be specified when mountPropagation is None or not specified";
    errors.push(forbidden(at, why));
  }
  return errors;
}

export function validateMounts(
  container: Container,
  volumes: Volumes,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const devices = container.volumeDevices ?? [];
  const seen = new Set<string>();
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const at = path.index(i);
    const { name = "", mountPath = "", subPath, subPathExpr } = mount;
    if (name === "") errors.push(required(at.child("name")));
    if (!volumes.has(name)) errors.push(valueNotFound(at.child("name"), name));
    if (mountPath === "") errors.push(required(at.child("mountPath")));
    if (seen.has(mountPath))
      errors.push(invalid(at.child("mountPath"), mountPath, "must be unique"));
    seen.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      errors.push(invalid(at.child("name"), name, "must not already exist in volumeDevices"));
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      const why = "must not already exist as a path in volumeDevices";
      errors.push(invalid(at.child("mountPath"), mountPath, why));
    }
    // Upstream names the list, not the entry, in these.
    if (subPath) errors.push(...validateLocalPath(subPath, path.child("subPath")));
    if (subPathExpr) {
      if (subPath) {
        const why = "subPathExpr and subPath are mutually exclusive";
        errors.push(invalid(at.child("subPathExpr"), subPathExpr, why));
      }
      errors.push(...validateLocalPath(subPathExpr, path.child("subPathExpr")));
    }
    errors.push(...validatePropagation(container, mount, path));
    errors.push(...validateRecursiveReadOnly(mount, path));
  }
  return errors;
}

export function validateDevices(
  container: Container,
  volumes: Volumes,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const mounts = container.volumeMounts ?? [];
  const [names, paths] = [new Set<string>(), new Set<string>()];
  for (const [i, { name = "", devicePath = "" }] of (container.volumeDevices ?? []).entries()) {
    const at = path.index(i);
    const volume = volumes.get(name);
    if (name === "") errors.push(required(at.child("name")));
    if (names.has(name)) errors.push(invalid(at.child("name"), name, "must be unique"));
    if (volume === undefined) errors.push(valueNotFound(at.child("name"), name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const why =
        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      errors.push(invalid(at.child("name"), name, why));
    }
    if (devicePath === "") errors.push(required(at.child("devicePath")));
    if (paths.has(devicePath)) {
      errors.push(invalid(at.child("devicePath"), devicePath, "must be unique"));
    }
    if (validateNoBacksteps(devicePath, at).length > 0) {
      const why = "can not contain backsteps ('..')";
      errors.push(invalid(at.child("devicePath"), devicePath, why));
    } else {
      paths.add(devicePath);
    }
    if (mounts.some((mount) => mount.name === name)) {
      errors.push(invalid(at.child("name"), name, "must not already exist in volumeMounts"));
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      const why = "must not already exist as a path in volumeMounts";
      errors.push(invalid(at.child("devicePath"), devicePath, why));
    }
    if (name !== "") names.add(name);
  }
  return errors;
}
