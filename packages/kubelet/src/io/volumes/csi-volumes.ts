/**
 * Volumes of CSI drivers, and persistent volumes in general.
 *
 *   <root>/plugins/kubernetes.io/csi/<driver>/<sha256 of handle>/globalmount   staged once per node
 *   <root>/pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount                  published per pod
 *
 * vol_data.json beside each says what is mounted there, so that a restarted kubelet can undo it.
 * Source  pkg/volume/csi/csi_mounter.go, csi_attacher.go
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PersistentVolume, Pod, SecretReference } from "@nanokube/api/core/v1";
import type { CSIDriver } from "@nanokube/api/storage/v1";
import { csiDrivers, secrets as secretResource, volumeAttachments } from "@nanokube/client";
import { StatusError, sleep } from "@nanokube/machinery";
import { podName, podNamespace, podUID } from "../../core/pod.ts";
import { describeRpcError } from "../cri-runtime.ts";
import { resolveClaim } from "./claims.ts";
import type { CSIDriverClient, CSIVolume } from "./csi-driver.ts";
import { CSIRegistry, type CSIRegistryOptions } from "./csi-registry.ts";
import { checkHostPath, useLocalPath } from "./local-volumes.ts";
import { applyFSGroup } from "./ownership.ts";
import { fsGroupOf, type MountedVolume, type VolumeDeps, type VolumeRequest } from "./volume.ts";

const PLUGIN_DIRECTORY = "kubernetes.io~csi";
const DATA_FILE = "vol_data.json";
/** A kubelet may get a VolumeAttachment but not watch it. */
const ATTACH_LOOK_MS = 250;
const ATTACH_MS_MAX = 120_000;

/** Upstream's file: what tearing down needs to know. */
interface VolumeData {
  specVolID: string;
  volumeHandle: string;
  driverName: string;
  nodeName: string;
  volumeLifecycleMode: "Persistent" | "Ephemeral";
  attachmentID: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

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
  #inUse = new Set<string>();

  constructor(options: CSIRegistryOptions) {
    this.#options = options;
    this.#registry = new CSIRegistry(options);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const data of await this.#published()) this.#inUse.add(uniqueName(data));
    await this.#registry.run(signal);
  }

  /** What the attach-detach controller must not take away. */
  volumesInUse(): string[] {
    return [...this.#inUse].sort();
  }

  #inTurn<T>(handle: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(handle) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => {});
    this.#turns.set(handle, settled);
    return mine;
  }

  #stagingPath(driver: string, handle: string): string {
    const base = join(this.#options.rootDir, "plugins/kubernetes.io/csi", driver);
    return join(base, sha256(handle), "globalmount");
  }

  async #driverObject(name: string): Promise<CSIDriver | undefined> {
    try {
      return await this.#options.client.resource(csiDrivers).get(name);
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  async #secret(reference: SecretReference | undefined): Promise<Record<string, string>> {
    if (reference?.name === undefined) return {};
    const api = this.#options.client.resource(secretResource);
    const found = await api.namespace(reference.namespace ?? "").get(reference.name);
    const entries = Object.entries(found.data ?? {});
    return Object.fromEntries(
      entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
    );
  }

  /** The controller's word that the volume is at this node; its metadata is the publish context. */
  async #attached(driver: string, handle: string, signal: AbortSignal) {
    const { client, clock, nodeName } = this.#options;
    const name = `csi-${sha256(handle + driver + nodeName)}`;
    const api = client.resource(volumeAttachments);
    const giveUpAt = clock.monotonic() + ATTACH_MS_MAX;
    for (;;) {
      const attachment = await api.get(name).catch((error) => {
        if (error instanceof StatusError && error.code === 404) return undefined;
        throw error;
      });
      const { attached, attachError, attachmentMetadata } = attachment?.status ?? {};
      if (attachment?.metadata?.deletionTimestamp !== undefined) {
        throw new Error("volume attachment is being deleted");
      }
      if (attached === true) return (attachmentMetadata ?? {}) as Record<string, string>;
      if (attachError !== undefined) throw new Error(attachError.message ?? "");
      if (clock.monotonic() > giveUpAt) {
        throw new Error(
          `timed out waiting for external-attacher of ${driver} CSI driver to attach volume ${handle}`,
        );
      }
      await sleep(clock, ATTACH_LOOK_MS, signal);
    }
  }

  async setUp(deps: VolumeDeps, request: VolumeRequest): Promise<MountedVolume> {
    const { pod, volume } = request;
    if (volume.csi !== undefined) return this.#setUpInline(deps, request);
    const { pv, readOnly } = await resolveClaim(deps.client, pod, volume);
    if (pv.spec?.volumeMode === "Block") {
      throw new Error("volume mode Block is not implemented by this kubelet");
    }
    if (pv.spec?.csi !== undefined) return this.#setUpPersistent(deps, request, pv, readOnly);
    if (pv.spec?.hostPath !== undefined) {
      await checkHostPath(pv.spec.hostPath);
      return { hostPath: pv.spec.hostPath.path ?? "", readOnly };
    }
    if (pv.spec?.local !== undefined) return useLocalPath(pv.spec.local.path ?? "", readOnly);
    throw new Error(
      `no volume plugin matched: persistent volume ${pv.metadata?.name} has a source that is not implemented by this kubelet`,
    );
  }

  async #setUpPersistent(
    deps: VolumeDeps,
    request: VolumeRequest,
    pv: PersistentVolume,
    claimReadOnly: boolean,
  ): Promise<MountedVolume> {
    const { pod, signal } = request;
    const source = pv.spec!.csi!;
    const driverName = source.driver ?? "";
    const handle = source.volumeHandle ?? "";
    const accessModes = pv.spec?.accessModes ?? ["ReadWriteOnce"];
    const object = await this.#driverObject(driverName);
    const needsAttach = object?.spec?.attachRequired !== false;
    const unique = `kubernetes.io/csi/${driverName}^${handle}`;
    if (!this.#inUse.has(unique)) {
      this.#inUse.add(unique);
      this.#options.onInUse();
    }
    const publishContext = needsAttach
      ? await at("MountVolume.WaitForAttach", this.#attached(driverName, handle, signal))
      : {};
    const volume: CSIVolume = {
      id: handle,
      fsType: source.fsType ?? "",
      mountOptions: pv.spec?.mountOptions ?? [],
      accessMode: accessModes[0] ?? "ReadWriteOnce",
      publishContext,
      context: { ...source.volumeAttributes },
      fsGroup: fsGroupOf(pod),
    };
    const readOnly = claimReadOnly || source.readOnly === true;
    const driver = this.#registry.driver(driverName);
    const staging = await this.#inTurn(handle, () =>
      this.#stage(driver, volume, source.nodeStageSecretRef),
    );
    const { name = "" } = pv.metadata ?? {};
    const secrets = await this.#secret(source.nodePublishSecretRef);
    const where = { driver, object, staging, specName: name, ephemeral: false };
    const target = await this.#publish(pod, volume, where, { readonly: readOnly, secrets });
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
    secretRef: SecretReference | undefined,
  ): Promise<string> {
    const path = this.#stagingPath(driver.name, volume.id);
    if (!(await driver.stages())) return "";
    await mkdir(path, { recursive: true, mode: 0o750 });
    const data = { volumeHandle: volume.id, driverName: driver.name };
    await writeFile(join(dirname(path), DATA_FILE), JSON.stringify(data));
    const secrets = await this.#secret(secretRef);
    await at("MountVolume.MountDevice", driver.stage(volume, path, secrets));
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
    const directory = join(rootDir, "pods", podUID(pod), "volumes", PLUGIN_DIRECTORY, specName);
    const target = join(directory, "mount");
    await mkdir(directory, { recursive: true, mode: 0o750 });
    const data: VolumeData = {
      specVolID: specName,
      volumeHandle: volume.id,
      driverName: driver.name,
      nodeName,
      volumeLifecycleMode: ephemeral ? "Ephemeral" : "Persistent",
      attachmentID: `csi-${sha256(volume.id + driver.name + nodeName)}`,
    };
    await writeFile(join(directory, DATA_FILE), JSON.stringify(data));
    const context =
      object?.spec?.podInfoOnMount === true
        ? { ...volume.context, ...podInfo(pod, ephemeral) }
        : volume.context;
    const work = driver.publish({ ...volume, context }, { staging, target }, options);
    await at("MountVolume.SetUp", work);
    return target;
  }

  async #read(file: string): Promise<VolumeData | undefined> {
    const text = await readFile(file, "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as VolumeData);
  }

  /** Everything that is published on this node now, by what lies on disk. */
  async #published(): Promise<VolumeData[]> {
    const pods = join(this.#options.rootDir, "pods");
    const found: VolumeData[] = [];
    for (const uid of await readdir(pods).catch(() => [])) {
      const base = join(pods, uid, "volumes", PLUGIN_DIRECTORY);
      for (const name of await readdir(base).catch(() => [])) {
        const data = await this.#read(join(base, name, DATA_FILE));
        if (data !== undefined) found.push(data);
      }
    }
    return found;
  }

  /** Unpublishes what the pod had; unstages what nobody else has. */
  async tearDown(_deps: VolumeDeps, uid: string): Promise<void> {
    const base = join(this.#options.rootDir, "pods", uid, "volumes", PLUGIN_DIRECTORY);
    for (const name of await readdir(base).catch(() => [])) {
      const directory = join(base, name);
      const data = await this.#read(join(directory, DATA_FILE));
      if (data === undefined) continue;
      const driver = this.#registry.driver(data.driverName);
      const target = join(directory, "mount");
      await driver.unpublish(data.volumeHandle, target);
      await rmdir(target).catch(() => {});
      await this.#inTurn(data.volumeHandle, () => this.#unstage(driver, data));
      // Last, so that what failed half-way is tried again as a whole.
      await rm(join(directory, DATA_FILE), { force: true });
      await rmdir(directory).catch(() => {});
    }
  }

  async #unstage(driver: CSIDriverClient, data: VolumeData): Promise<void> {
    const users = (await this.#published()).filter(
      (other) => uniqueName(other) === uniqueName(data),
    );
    if (users.length > 1) return;
    const path = this.#stagingPath(data.driverName, data.volumeHandle);
    const staged = await this.#read(join(dirname(path), DATA_FILE));
    if (staged !== undefined) {
      await driver.unstage(data.volumeHandle, path);
      await rmdir(path).catch(() => {});
      await rm(join(dirname(path), DATA_FILE), { force: true });
      await rmdir(dirname(path)).catch(() => {});
    }
    this.#inUse.delete(uniqueName(data));
    this.#options.onInUse();
  }
}

const uniqueName = (data: VolumeData): string =>
  `kubernetes.io/csi/${data.driverName}^${data.volumeHandle}`;

const podInfo = (pod: Pod, ephemeral: boolean): Record<string, string> => ({
  "csi.storage.k8s.io/pod.name": podName(pod),
  "csi.storage.k8s.io/pod.namespace": podNamespace(pod),
  "csi.storage.k8s.io/pod.uid": podUID(pod),
  "csi.storage.k8s.io/serviceAccount.name": pod.spec?.serviceAccountName ?? "",
  "csi.storage.k8s.io/ephemeral": String(ephemeral),
});
