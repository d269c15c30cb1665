/**
 * Volumes of CSI drivers, and persistent volumes in general: staged once per node, published per
 * pod.
 *
 * A volume of mode Block is a device: its driver puts the node of it at a path, and the runtime
 * makes the device in the container.
 *
 * Errors  StageError: at which step, for the FailedMount event
 * Source  pkg/volume/csi/csi_mounter.go, csi_block.go
 */
import { mkdir, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Pod, SecretReference } from "@nanokube/api/core/v1";
import type { CSIDriver } from "@nanokube/api/storage/v1";
import { csiDrivers, ifFound } from "@nanokube/client";
import { allContainers, podName, podNamespace, podUID } from "../../core/pod.ts";
import { describeRpcError } from "../cri-runtime.ts";
import { type ClaimedVolume, resolveClaim } from "./claims.ts";
import { attachmentID, verifyAttached, waitForAttach } from "./csi-attachment.ts";
import {
  DATA_FILE,
  podVolumeDirectory,
  publishedFor,
  publishedPath,
  publishedVolumes,
  readVolumeData,
  sha256,
  stagingPlace,
  uniqueName,
  type VolumeData,
} from "./csi-data.ts";
import type { CSIDriverClient, CSIVolume } from "./csi-driver.ts";
import { growVolume, mustGrow } from "./csi-expand.ts";
import { CSIRegistry, type CSIRegistryOptions } from "./csi-registry.ts";
import { secretData } from "./csi-secrets.ts";
import { checkHostPath, useLocalPath } from "./local-volumes.ts";
import { applyFSGroup } from "./ownership.ts";
import { fsGroupOf, type MountedVolume, type VolumeDeps, type VolumeRequest } from "./volume.ts";
import { VolumesInUse } from "./volumes-in-use.ts";

const CLAIM_LOOK_MS = 60_000;

/** Says at which step it failed, for the FailedMount event. */
class StageError extends Error {
  readonly stage: string;
  constructor(stage: string, message: string) {
    super(message);
    this.stage = stage;
  }
}

async function at<T>(stage: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new StageError(stage, describeRpcError(error));
  }
}

const hasFSGroup = (fsType: string, policy: string, accessModes: readonly string[]): boolean => {
  if (policy === "None") return false;
  if (policy === "File") return true;
  return fsType !== "" && accessModes.includes("ReadWriteOnce");
};

export class CSIVolumes {
  readonly #registry: CSIRegistry;
  readonly #options: CSIRegistryOptions;
  /** Stage and unstage of one volume take turns. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #inUse: VolumesInUse;

  constructor(options: CSIRegistryOptions) {
    this.#options = options;
    this.#registry = new CSIRegistry(options);
    this.#inUse = new VolumesInUse(options.onInUse);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const { uid, data } of await publishedVolumes(this.#options.rootDir)) {
      this.#inUse.use(uniqueName(data), uid);
    }
    await this.#registry.run(signal);
  }

  /** What the attach-detach controller must not take away. */
  volumesInUse(): string[] {
    return this.#inUse.list();
  }

  #inTurn<T>(handle: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(handle) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => {});
    this.#turns.set(handle, settled);
    return mine;
  }

  #driverObject(name: string): Promise<CSIDriver | undefined> {
    return ifFound(this.#options.client.resource(csiDrivers).get(name));
  }

  #secret(reference: SecretReference | undefined): Promise<Record<string, string>> {
    return secretData(this.#options.client, reference);
  }

  async setUp(deps: VolumeDeps, request: VolumeRequest): Promise<MountedVolume> {
    const { pod, volume } = request;
    if (volume.csi !== undefined) return this.#setUpInline(deps, request);
    const { claim, pv, readOnly } = await resolveClaim(deps.client, pod, volume);
    // The kubelet may not watch claims: it looks whether the volume has grown.
    request.renewAt(deps.clock.now() + CLAIM_LOOK_MS);
    checkMode(pod, volume.name, pv.spec?.volumeMode ?? "Filesystem");
    if (pv.spec?.csi !== undefined) {
      return this.#setUpPersistent(deps, request, { claim, pv, readOnly });
    }
    if (pv.spec?.hostPath !== undefined) {
      await checkHostPath(pv.spec.hostPath);
      return { hostPath: pv.spec.hostPath.path ?? "", readOnly };
    }
    if (pv.spec?.local !== undefined) {
      const local = await useLocalPath(pv.spec.local.path ?? "", readOnly);
      return pv.spec.volumeMode === "Block" ? { ...local, device: true } : local;
    }
    throw new Error(
      `no volume plugin matched: persistent volume ${pv.metadata?.name} has a source that is not implemented by this kubelet`,
    );
  }

  async #setUpPersistent(
    deps: VolumeDeps,
    request: VolumeRequest,
    { claim, pv, readOnly: claimReadOnly }: ClaimedVolume,
  ): Promise<MountedVolume> {
    const { pod, signal } = request;
    const source = pv.spec!.csi!;
    const driverName = source.driver ?? "";
    const handle = source.volumeHandle ?? "";
    const accessModes = pv.spec?.accessModes ?? ["ReadWriteOnce"];
    const object = await this.#driverObject(driverName);
    const needsAttach = object?.spec?.attachRequired !== false;
    const unique = uniqueName({ driverName, volumeHandle: handle });
    const block = pv.spec?.volumeMode === "Block";
    this.#inUse.use(unique, podUID(pod));
    if (needsAttach) verifyAttached(this.#options, pod, pv, unique);
    const publishContext = needsAttach
      ? await at(
          "MountVolume.WaitForAttach",
          waitForAttach(this.#options, { driverName, handle }, signal),
        )
      : {};
    const volume: CSIVolume = {
      id: handle,
      fsType: source.fsType ?? "",
      mountOptions: pv.spec?.mountOptions ?? [],
      accessMode: accessModes[0] ?? "ReadWriteOnce",
      publishContext,
      context: { ...source.volumeAttributes },
      fsGroup: fsGroupOf(pod),
      block,
    };
    const readOnly = claimReadOnly || source.readOnly === true;
    const driver = this.#registry.driver(driverName);
    const { name = "" } = pv.metadata ?? {};
    const staging = await this.#inTurn(handle, () =>
      this.#stage(driver, volume, name, source.nodeStageSecretRef),
    );
    const secrets = await this.#secret(source.nodePublishSecretRef);
    const where = { driver, object, staging, specName: name, ephemeral: false };
    const target = await this.#publish(pod, volume, where, { readonly: readOnly, secrets });
    if (mustGrow(claim, pv)) {
      const { client, nodeName, recorder } = this.#options;
      const paths = { staging, target };
      const growth = { client, nodeName, recorder, claim, pv, volume, driver, paths };
      await at("MountVolume.NodeExpandVolume", growVolume(growth));
    }
    if (block) return { hostPath: target, readOnly, device: true };
    const policy = object?.spec?.fsGroupPolicy ?? "ReadWriteOnceWithFSType";
    const wanted = !readOnly && hasFSGroup(volume.fsType, policy, accessModes);
    await this.#giveToGroup(deps, pod, driver, target, wanted);
    return { hostPath: target, readOnly };
  }

  async #setUpInline(deps: VolumeDeps, request: VolumeRequest): Promise<MountedVolume> {
    const { pod } = request;
    const name = request.volume.name ?? "";
    const source = request.volume.csi!;
    const driver = this.#registry.driver(source.driver ?? "");
    const object = await this.#driverObject(driver.name);
    const modes = object?.spec?.volumeLifecycleModes ?? ["Persistent"];
    if (!modes.includes("Ephemeral")) {
      throw new Error(
        `volume mode "Ephemeral" not supported by driver ${driver.name} (only supports [${modes.map((m) => `"${m}"`).join(" ")}])`,
      );
    }
    const volume: CSIVolume = {
      id: `csi-${sha256(`${podUID(pod)}${name}`)}`,
      fsType: source.fsType ?? "",
      mountOptions: [],
      accessMode: "ReadWriteOnce",
      publishContext: {},
      context: { ...source.volumeAttributes },
      fsGroup: fsGroupOf(pod),
      block: false,
    };
    const reference = source.nodePublishSecretRef;
    const secrets = await this.#secret(
      reference && { name: reference.name ?? "", namespace: podNamespace(pod) },
    );
    const where = { driver, object, staging: "", specName: name, ephemeral: true };
    const readonly = source.readOnly === true;
    const target = await this.#publish(pod, volume, where, { readonly, secrets });
    const policy = object?.spec?.fsGroupPolicy ?? "ReadWriteOnceWithFSType";
    const wanted = !readonly && hasFSGroup(volume.fsType, policy, ["ReadWriteOnce"]);
    await this.#giveToGroup(deps, pod, driver, target, wanted);
    return { hostPath: target, readOnly: readonly };
  }

  async #giveToGroup(
    deps: VolumeDeps,
    pod: Pod,
    driver: CSIDriverClient,
    path: string,
    wanted: boolean,
  ): Promise<void> {
    const group = fsGroupOf(pod);
    if (!wanted || group === undefined || !deps.privileged) return;
    if (await driver.mountsGroup()) return;
    const policy = pod.spec?.securityContext?.fsGroupChangePolicy;
    await applyFSGroup(path, group, {
      readOnly: false,
      onRootMismatch: policy === "OnRootMismatch",
    });
  }

  async #stage(
    driver: CSIDriverClient,
    volume: CSIVolume,
    specVolID: string,
    secretRef: SecretReference | undefined,
  ): Promise<string> {
    if (!(await driver.stages())) return "";
    const data = {
      specVolID,
      volumeHandle: volume.id,
      driverName: driver.name,
      ...(volume.block ? { volumeMode: "Block" as const } : {}),
    };
    const { path, dataFile } = stagingPlace(this.#options.rootDir, data);
    await mkdir(path, { recursive: true, mode: 0o750 });
    await mkdir(dirname(dataFile), { recursive: true, mode: 0o750 });
    await writeFile(dataFile, JSON.stringify(data));
    const secrets = await this.#secret(secretRef);
    const stage = volume.block ? "MapVolume.SetUpDevice" : "MountVolume.MountDevice";
    await at(stage, driver.stage(volume, path, secrets));
    return path;
  }

  async #publish(
    pod: Pod,
    volume: CSIVolume,
    where: {
      driver: CSIDriverClient;
      object: CSIDriver | undefined;
      staging: string;
      specName: string;
      ephemeral: boolean;
    },
    options: { readonly: boolean; secrets: Record<string, string> },
  ): Promise<string> {
    const { driver, object, staging, specName, ephemeral } = where;
    const { rootDir, nodeName } = this.#options;
    const uid = podUID(pod);
    const directory = podVolumeDirectory(rootDir, uid, specName);
    await mkdir(directory, { recursive: true, mode: 0o750 });
    const data: VolumeData = {
      specVolID: specName,
      volumeHandle: volume.id,
      driverName: driver.name,
      nodeName,
      volumeLifecycleMode: ephemeral ? "Ephemeral" : "Persistent",
      attachmentID: attachmentID({ driverName: driver.name, handle: volume.id }, nodeName),
      ...(volume.block ? { volumeMode: "Block" } : {}),
    };
    const target = publishedPath(rootDir, uid, data);
    if (volume.block) await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    await writeFile(join(directory, DATA_FILE), JSON.stringify(data));
    const context =
      object?.spec?.podInfoOnMount === true
        ? { ...volume.context, ...podInfo(pod, ephemeral) }
        : volume.context;
    const work = driver.publish({ ...volume, context }, { staging, target }, options);
    await at(volume.block ? "MapVolume.MapPodDevice" : "MountVolume.SetUp", work);
    return target;
  }

  /** Unpublishes what the pod had; unstages what nobody else has. */
  async tearDown(_deps: VolumeDeps, uid: string): Promise<void> {
    const { rootDir } = this.#options;
    for (const { directory, data } of await publishedFor(rootDir, uid)) {
      const driver = this.#registry.driver(data.driverName);
      const target = publishedPath(rootDir, uid, data);
      await driver.unpublish(data.volumeHandle, target);
      if (data.volumeMode === "Block") {
        await rm(target, { force: true });
        await rmdir(dirname(target)).catch(() => {});
      } else await rmdir(target).catch(() => {});
      await this.#inTurn(data.volumeHandle, () => this.#unstage(driver, data));
      // Last, so that what failed half-way is tried again as a whole.
      await rm(join(directory, DATA_FILE), { force: true });
      await rmdir(directory).catch(() => {});
    }
    this.#inUse.release(uid);
  }

  async #unstage(driver: CSIDriverClient, data: VolumeData): Promise<void> {
    const { rootDir } = this.#options;
    const users = (await publishedVolumes(rootDir)).filter(
      (other) => uniqueName(other.data) === uniqueName(data),
    );
    if (users.length > 1) return;
    const { path, dataFile } = stagingPlace(rootDir, data);
    if ((await readVolumeData(dataFile)) !== undefined) {
      await driver.unstage(data.volumeHandle, path);
      await rmdir(path).catch(() => {});
      await rm(dataFile, { force: true });
      await rmdir(dirname(dataFile)).catch(() => {});
      if (data.volumeMode === "Block") await rmdir(dirname(dirname(dataFile))).catch(() => {});
    }
  }
}

/** A container that mounts a device, or opens a file system as one, was written by mistake. */
function checkMode(pod: Pod, name: string | undefined, mode: string): void {
  const used = (field: "volumeMounts" | "volumeDevices") =>
    allContainers(pod).some((c) => c[field]?.some((entry) => entry.name === name));
  const wrong = mode === "Block" ? "volumeMounts" : "volumeDevices";
  if (!used(wrong)) return;
  throw new Error(`volume ${name} has volumeMode ${mode}, but is specified in ${wrong}`);
}

const podInfo = (pod: Pod, ephemeral: boolean): Record<string, string> => ({
  "csi.storage.k8s.io/pod.name": podName(pod),
  "csi.storage.k8s.io/pod.namespace": podNamespace(pod),
  "csi.storage.k8s.io/pod.uid": podUID(pod),
  "csi.storage.k8s.io/serviceAccount.name": pod.spec?.serviceAccountName ?? "",
  "csi.storage.k8s.io/ephemeral": String(ephemeral),
});
