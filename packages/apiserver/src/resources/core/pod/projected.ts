/**
 * Projected and downward API volumes: several sources in one directory.
 *
 * Source  pkg/apis/core/validation/validation.go validateProjectionSources
 */
import type {
  DownwardAPIVolumeFile,
  ProjectedVolumeSource,
  VolumeProjection,
} from "@nanokube/api/core/v1";
import { type FieldError, type FieldPath, forbidden, invalid, required } from "../../field.ts";
import { validateLabelSelector } from "../../labels.ts";
import { validateMode, validateNonReservedPath } from "../../paths.ts";
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from "./env.ts";
import { validateItem } from "./items.ts";

export function validateDownwardFile(file: DownwardAPIVolumeFile, path: FieldPath): FieldError[] {
  const errors = file.path ? [] : [required(path.child("path"))];
  errors.push(...validateNonReservedPath(file.path ?? "", path.child("path")));
  if (file.fieldRef) {
    errors.push(...validateFieldRef(file.fieldRef, volumeFieldPaths, path.child("fieldRef")));
    if (file.resourceFieldRef) {
      const why = "fieldRef and resourceFieldRef can not be specified simultaneously";
      errors.push(invalid(path, "resource", why));
    }
  } else if (file.resourceFieldRef) {
    const at = path.child("resourceFieldRef");
    errors.push(...validateResourceFieldRef(file.resourceFieldRef, at, true));
  } else {
    errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  }
  return [...errors, ...validateMode(file.mode, path.child("mode"))];
}

/** Two sources may not write the same file; upstream reports it at the volume. */
class Paths {
  readonly #seen = new Set<string>();
  readonly #volume: FieldPath;

  constructor(volume: FieldPath) {
    this.#volume = volume;
  }

  claim(path: string | undefined, shown: string): FieldError[] {
    if (!path) return [];
    if (this.#seen.has(path)) return [invalid(this.#volume, shown, "conflicting duplicate paths")];
    this.#seen.add(path);
    return [];
  }
}

function validateNamed(
  source: VolumeProjection["secret"] | VolumeProjection["configMap"],
  path: FieldPath,
  paths: Paths,
): FieldError[] {
  const errors = source?.name ? [] : [required(path.child("name"))];
  for (const [i, item] of (source?.items ?? []).entries()) {
    errors.push(...validateItem(item, path.child("items").index(i)));
    errors.push(...paths.claim(item.path, source?.name ?? ""));
  }
  return errors;
}

function validateToken(
  token: NonNullable<VolumeProjection["serviceAccountToken"]>,
  path: FieldPath,
  volume: FieldPath,
): FieldError[] {
  const seconds = token.expirationSeconds ?? 0;
  const at = path.child("expirationSeconds");
  const errors: FieldError[] = [];
  if (seconds < 600) {
    errors.push(invalid(at, seconds, "may not specify a duration less than 10 minutes"));
  }
  if (seconds > 2 ** 32) {
    errors.push(invalid(at, seconds, "may not specify a duration larger than 2^32 seconds"));
  }
  if (!token.path) errors.push(required(volume.child("path")));
  else errors.push(...validateNonReservedPath(token.path, volume.child("path")));
  return errors;
}

function validateTrustBundle(
  bundle: NonNullable<VolumeProjection["clusterTrustBundle"]>,
  path: FieldPath,
  paths: Paths,
): FieldError[] {
  const { name, signerName, labelSelector } = bundle;
  const errors: FieldError[] = [];
  if (name !== undefined && signerName !== undefined) {
    errors.push(invalid(path, bundle, "only one of name and signerName may be used"));
  } else if (name !== undefined) {
    if (name === "") errors.push(required(path.child("name"), "must be a valid object name"));
    if (labelSelector !== undefined) {
      const why = "labelSelector must be unset if name is specified";
      errors.push(invalid(path.child("labelSelector"), labelSelector, why));
    }
  } else if (signerName !== undefined) {
    if (signerName === "") {
      errors.push(required(path.child("signerName"), "must be a valid signer name"));
    }
    errors.push(...validateLabelSelector(labelSelector, path.child("labelSelector")));
  } else {
    errors.push(required(path, "either name or signerName must be specified"));
  }
  if (!bundle.path) errors.push(required(path.child("path")));
  errors.push(...validateNonReservedPath(bundle.path ?? "", path.child("path")));
  return [...errors, ...paths.claim(bundle.path, bundle.path ?? "")];
}

export function validateProjected(projected: ProjectedVolumeSource, path: FieldPath): FieldError[] {
  const errors = validateMode(projected.defaultMode, path.child("defaultMode"));
  const paths = new Paths(path);
  for (const [i, source] of (projected.sources ?? []).entries()) {
    const at = path.child("sources").index(i);
    if (source.secret) errors.push(...validateNamed(source.secret, at.child("secret"), paths));
    if (source.configMap) {
      errors.push(...validateNamed(source.configMap, at.child("configMap"), paths));
    }
    for (const file of source.downwardAPI?.items ?? []) {
      errors.push(...validateDownwardFile(file, at.child("downwardAPI")));
      errors.push(...paths.claim(file.path, file.path ?? ""));
    }
    if (source.serviceAccountToken) {
      const token = at.child("serviceAccountToken");
      errors.push(...validateToken(source.serviceAccountToken, token, path));
    }
    if (source.clusterTrustBundle) {
      const bundle = at.child("clusterTrustBundle");
      errors.push(...validateTrustBundle(source.clusterTrustBundle, bundle, paths));
    }
    if (Object.values(source).filter((value) => value !== undefined).length > 1) {
      errors.push(forbidden(at, "may not specify more than 1 volume type per source"));
    }
  }
  return errors;
}
