/**
 * Volumes that hold files made from API objects: configMap, secret, downwardAPI, projected.
 *
 * Set up again on every sync of the pod, which changes files only when their contents changed: that
 * is how a running container sees a new ConfigMap.
 * Source  pkg/volume/configmap, secret, downwardapi, projected
 */
import { chmod, mkdir } from "node:fs/promises";
import type {
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "@nanokube/api/core/v1";
import { allContainers, podName, podNamespace, podUID } from "../../core/pod.ts";
import {
  configMapFiles,
  DEFAULT_MODE,
  downwardFiles,
  mergeFiles,
  secretFiles,
  type VolumeFiles,
} from "../../core/volume-files.ts";
import { writeAtomically } from "./atomic-writer.ts";
import {
  fsGroupOf,
  type MountedVolume,
  type SetUp,
  type VolumeDeps,
  type VolumeRequest,
  volumeDirectory,
} from "./volume.ts";

async function publish(
  deps: VolumeDeps,
  request: VolumeRequest,
  plugin: string,
  files: VolumeFiles,
  owner?: number,
): Promise<MountedVolume> {
  const { pod, volume } = request;
  const path = volumeDirectory(deps, pod, plugin, volume.name ?? "");
  await mkdir(path, { recursive: true, mode: 0o750 });
  // Memory only: secrets must not reach the disk of the node.
  const inMemory = plugin !== "kubernetes.io/configmap";
  if (inMemory && deps.privileged && !(await deps.mounter.isMountPoint(path))) {
    await deps.mounter.mountTmpfs(path, []);
  }
  const group = deps.privileged ? fsGroupOf(pod) : undefined;
  await chmod(path, group === undefined ? 0o777 : 0o2777);
  await writeAtomically(path, files, {
    nowMs: deps.clock.now(),
    fsGroup: group,
    owner: deps.privileged ? owner : undefined,
  });
  return { hostPath: path, readOnly: true };
}

async function configMapOrThrow(
  deps: VolumeDeps,
  namespace: string,
  name: string,
  optional: boolean,
) {
  const map = await deps.objects.configMap(namespace, name);
  if (map === undefined && !optional) throw new Error(`configmap "${name}" not found`);
  return map;
}

async function secretOrThrow(deps: VolumeDeps, namespace: string, name: string, optional: boolean) {
  const secret = await deps.objects.secret(namespace, name);
  if (secret === undefined && !optional) throw new Error(`secret "${name}" not found`);
  return secret;
}

export const setUpConfigMap: SetUp = async (deps, request) => {
  const source = request.volume.configMap ?? {};
  const namespace = podNamespace(request.pod);
  const optional = source.optional === true;
  const map = await configMapOrThrow(deps, namespace, source.name ?? "", optional);
  const files = configMapFiles(map, source, source.defaultMode ?? DEFAULT_MODE);
  return publish(deps, request, "kubernetes.io/configmap", files);
};

export const setUpSecret: SetUp = async (deps, request) => {
  const source = request.volume.secret ?? {};
  const namespace = podNamespace(request.pod);
  const optional = source.optional === true;
  const secret = await secretOrThrow(deps, namespace, source.secretName ?? "", optional);
  const files = secretFiles(secret, source, source.defaultMode ?? DEFAULT_MODE);
  return publish(deps, request, "kubernetes.io/secret", files);
};

export const setUpDownwardAPI: SetUp = async (deps, request) => {
  const source = request.volume.downwardAPI ?? {};
  const mode = source.defaultMode ?? DEFAULT_MODE;
  const files = downwardFiles(request.pod, source.items, mode, request.downward);
  return publish(deps, request, "kubernetes.io/downward-api", files);
};

/** Who will read the token: the one user of all containers, if there is one. */
function commonUser(request: VolumeRequest): number | undefined {
  const { pod } = request;
  const whole = pod.spec?.securityContext?.runAsUser;
  const users = allContainers(pod).map((c) => c.securityContext?.runAsUser ?? whole);
  const [first] = users;
  return first !== undefined && users.every((user) => user === first) ? first : undefined;
}

const TOKEN_MODE_PRIVATE = 0o600;
const TOKEN_SECONDS = 3600;

async function tokenFiles(
  deps: VolumeDeps,
  request: VolumeRequest,
  source: ServiceAccountTokenProjection,
  defaultMode: number,
): Promise<VolumeFiles> {
  const { pod } = request;
  const { token, renewAtMs } = await deps.tokens.get({
    namespace: podNamespace(pod),
    serviceAccount: pod.spec?.serviceAccountName ?? "default",
    audience: source.audience,
    expirationSeconds: source.expirationSeconds ?? TOKEN_SECONDS,
    podName: podName(pod),
    podUID: podUID(pod),
  });
  request.renewAt(renewAtMs);
  const private_ = fsGroupOf(pod) !== undefined || commonUser(request) !== undefined;
  const mode = private_ ? TOKEN_MODE_PRIVATE : defaultMode;
  return new Map([[source.path ?? "token", { data: new TextEncoder().encode(token), mode }]]);
}

async function projectedPart(
  deps: VolumeDeps,
  request: VolumeRequest,
  source: VolumeProjection,
  mode: number,
): Promise<VolumeFiles> {
  const namespace = podNamespace(request.pod);
  if (source.configMap !== undefined) {
    const { name = "", optional } = source.configMap;
    const map = await configMapOrThrow(deps, namespace, name, optional === true);
    return configMapFiles(map, source.configMap, mode);
  }
  if (source.secret !== undefined) {
    const { name = "", optional } = source.secret;
    const secret = await secretOrThrow(deps, namespace, name, optional === true);
    return secretFiles(secret, source.secret, mode);
  }
  if (source.downwardAPI !== undefined) {
    return downwardFiles(request.pod, source.downwardAPI.items, mode, request.downward);
  }
  if (source.serviceAccountToken !== undefined) {
    return tokenFiles(deps, request, source.serviceAccountToken, mode);
  }
  const kind = Object.keys(source)[0] ?? "";
  throw new Error(`projected volume source "${kind}" is not implemented by this kubelet`);
}

export const setUpProjected: SetUp = async (deps, request) => {
  const source: ProjectedVolumeSource = request.volume.projected ?? {};
  const mode = source.defaultMode ?? DEFAULT_MODE;
  const parts = await Promise.all(
    (source.sources ?? []).map((part) => projectedPart(deps, request, part, mode)),
  );
  const files = mergeFiles(parts);
  return publish(deps, request, "kubernetes.io/projected", files, commonUser(request));
};
