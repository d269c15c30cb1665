/**
 * One CSI driver's Node service.
 *
 * Source  pkg/volume/csi/csi_client.go
 */
import { type Channel, type Client, createClient, csi, dial } from "@nanokube/rpc";

const CALL_MS = 120_000;

const MODE = csi.VolumeCapability_AccessMode_Mode;
const TYPE = csi.NodeServiceCapability_RPC_Type;

export interface CSIVolume {
  id: string;
  fsType: string;
  mountOptions: readonly string[];
  accessMode: string;
  publishContext: Record<string, string>;
  context: Record<string, string>;
  fsGroup: number | undefined;
  /** A device, not a file system. */
  block: boolean;
}

export class CSIDriverClient {
  readonly name: string;
  readonly #channel: Channel;
  readonly #node: Client<typeof csi.Node>;
  #capabilities: Promise<ReadonlySet<number>> | undefined;

  constructor(name: string, socket: string) {
    this.name = name;
    this.#channel = dial(`unix://${socket}`);
    this.#node = createClient(this.#channel, csi.Node);
  }

  nodeInfo(): Promise<csi.NodeGetInfoResponse> {
    return this.#node.nodeGetInfo({}, { timeoutMs: CALL_MS });
  }

  #has(type: number): Promise<boolean> {
    this.#capabilities ??= this.#node
      .nodeGetCapabilities({}, { timeoutMs: CALL_MS })
      .then(({ capabilities }) => new Set(capabilities.map((entry) => entry.rpc?.type ?? 0)));
    this.#capabilities.catch(() => {
      this.#capabilities = undefined;
    });
    return this.#capabilities.then((set) => set.has(type));
  }

  stages(): Promise<boolean> {
    return this.#has(TYPE.STAGE_UNSTAGE_VOLUME);
  }

  /** The driver gives the volume to the group itself. */
  mountsGroup(): Promise<boolean> {
    return this.#has(TYPE.VOLUME_MOUNT_GROUP);
  }

  async #mode(accessMode: string): Promise<number> {
    const many = await this.#has(TYPE.SINGLE_NODE_MULTI_WRITER);
    switch (accessMode) {
      case "ReadWriteOnce":
        return many ? MODE.SINGLE_NODE_MULTI_WRITER : MODE.SINGLE_NODE_WRITER;
      case "ReadWriteOncePod":
        return many ? MODE.SINGLE_NODE_SINGLE_WRITER : MODE.SINGLE_NODE_WRITER;
      case "ReadOnlyMany":
        return MODE.MULTI_NODE_READER_ONLY;
      case "ReadWriteMany":
        return MODE.MULTI_NODE_MULTI_WRITER;
      default:
        return MODE.UNKNOWN;
    }
  }

  async #capability(volume: CSIVolume) {
    if (volume.block) {
      return { accessMode: { mode: await this.#mode(volume.accessMode) }, block: {} };
    }
    const group = volume.fsGroup !== undefined && (await this.mountsGroup());
    return {
      accessMode: { mode: await this.#mode(volume.accessMode) },
      mount: {
        fsType: volume.fsType,
        mountFlags: [...volume.mountOptions],
        volumeMountGroup: group ? String(volume.fsGroup) : "",
      },
    };
  }

  async stage(
    volume: CSIVolume,
    stagingTargetPath: string,
    secrets: Record<string, string>,
  ): Promise<void> {
    await this.#node.nodeStageVolume(
      {
        volumeId: volume.id,
        publishContext: volume.publishContext,
        stagingTargetPath,
        volumeCapability: await this.#capability(volume),
        secrets,
        volumeContext: volume.context,
      },
      { timeoutMs: CALL_MS },
    );
  }

  async publish(
    volume: CSIVolume,
    paths: { staging: string; target: string },
    options: { readonly: boolean; secrets: Record<string, string> },
  ): Promise<void> {
    await this.#node.nodePublishVolume(
      {
        volumeId: volume.id,
        publishContext: volume.publishContext,
        stagingTargetPath: paths.staging,
        targetPath: paths.target,
        volumeCapability: await this.#capability(volume),
        readonly: options.readonly,
        secrets: options.secrets,
        volumeContext: volume.context,
      },
      { timeoutMs: CALL_MS },
    );
  }

  expands(): Promise<boolean> {
    return this.#has(TYPE.EXPAND_VOLUME);
  }

  /** Answers the size that the volume has now; 0 when the driver does not say. */
  async expand(
    volume: CSIVolume,
    paths: { staging: string; target: string },
    requiredBytes: number,
  ): Promise<number> {
    const { capacityBytes } = await this.#node.nodeExpandVolume(
      {
        volumeId: volume.id,
        volumePath: paths.target,
        stagingTargetPath: paths.staging,
        capacityRange: { requiredBytes },
        volumeCapability: await this.#capability(volume),
      },
      { timeoutMs: CALL_MS },
    );
    return capacityBytes;
  }

  async unpublish(volumeId: string, targetPath: string): Promise<void> {
    await this.#node.nodeUnpublishVolume({ volumeId, targetPath }, { timeoutMs: CALL_MS });
  }

  async unstage(volumeId: string, stagingTargetPath: string): Promise<void> {
    await this.#node.nodeUnstageVolume({ volumeId, stagingTargetPath }, { timeoutMs: CALL_MS });
  }

  close(): void {
    this.#channel.close();
  }
}
