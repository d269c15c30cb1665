/**
 * Attaches volumes to the nodes whose pods need them, and detaches them when nobody there does.
 *
 * The attaching itself is done by the driver's external attacher, which watches VolumeAttachments;
 * this controller makes and deletes those, and tells each node in its status what is there.
 *
 *   needed ─▶ VolumeAttachment ─ attached ─▶ node.status.volumesAttached ─▶ the kubelet mounts
 *   not needed, not in volumesInUse ─▶ out of volumesAttached ─▶ VolumeAttachment deleted
 *
 * Keys    volume/NAME decides on attachments, node/NAME writes the node's list
 * Units   a volume that its node does not let go is taken away from a sick node after 6 minutes
 * Source  pkg/controller/volume/attachdetach/reconciler/reconciler.go, statusupdater
 */
import type { Node, PersistentVolume, Pod } from "@nanokube/api/core/v1";
import type { VolumeAttachment } from "@nanokube/api/storage/v1";
import {
  csiDrivers,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Caches, type Context, type Controller, watch } from "../controller.ts";
import type { Digests } from "../digests.ts";
import { attempt, mergePatch, note, read, remove, type Steps } from "../steps.ts";
import {
  byClaim,
  claimsOf,
  isAttachable,
  isInUse,
  isManaged,
  isReported,
  mayBeShared,
  uniqueName,
  usersOf,
  volumeOf,
} from "./wanted.ts";

const forceAfterMs = 360_000;
const ownName = /^csi-[0-9a-f]{64}$/;
const lookAgainMs = 500;

/** What upstream keeps in memory too: since when a detach is wanted, what has been complained of. */
interface Memory {
  digests: Digests;
  detachSinceMs: Map<string, number>;
  complained: Set<string>;
}

export function createAttachDetachController(digests: Digests): Controller {
  const memory: Memory = { digests, detachSinceMs: new Map(), complained: new Set() };
  const volumesOfClaims = (claims: readonly string[], caches: Caches) =>
    claims.flatMap((key) => {
      const [namespace = "", name = ""] = key.split("/");
      const volume = caches.of(persistentVolumeClaims).get(namespace, name)?.spec?.volumeName;
      return volume ? [`volume/${volume}`] : [];
    });
  const attachmentsOn = (node: string, caches: Caches) =>
    caches.of(volumeAttachments).byIndex("nodes", node);
  const keysOf = (attachment: VolumeAttachment) => [
    `volume/${attachment.spec?.source?.persistentVolumeName}`,
    `node/${attachment.spec?.nodeName}`,
  ];
  return {
    name: "persistentvolume-attach-detach-controller",
    component: "attachdetach-controller",
    watches: [
      watch(pods, (pod, caches) => volumesOfClaims(claimsOf(pod), caches), { [byClaim]: claimsOf }),
      watch(persistentVolumeClaims, ({ spec }) =>
        spec?.volumeName ? [`volume/${spec.volumeName}`] : [],
      ),
      watch(persistentVolumes, ({ metadata }) => [`volume/${metadata?.name}`]),
      watch(volumeAttachments, keysOf, {
        nodes: ({ spec }) => [spec?.nodeName ?? ""],
        volumes: ({ spec }) => [spec?.source?.persistentVolumeName ?? ""],
      }),
      watch(nodes, ({ metadata }, caches) => [
        `node/${metadata?.name}`,
        ...attachmentsOn(metadata?.name ?? "", caches).flatMap(keysOf),
      ]),
      watch(csiDrivers, ({ metadata }, caches) =>
        caches
          .of(persistentVolumes)
          .list()
          .filter(({ spec }) => spec?.csi?.driver === metadata?.name)
          .map((volume) => `volume/${volume.metadata?.name}`),
      ),
    ],
    reconcile(key, context) {
      const slash = key.indexOf("/");
      const name = key.slice(slash + 1);
      return key.startsWith("node/")
        ? reportAttached(name, context)
        : reconcileVolume(name, context, memory);
    },
  };
}

export function* reconcileVolume(
  name: string,
  context: Context,
  memory: Memory,
): Steps<number | undefined> {
  const { caches } = context;
  const volume = caches.of(persistentVolumes).get("", name);
  const present = caches.of(volumeAttachments).byIndex("volumes", name);
  const users =
    volume === undefined || !isAttachable(volume, caches)
      ? new Map<string, Pod[]>()
      : usersOf(volume, caches);
  let wait: number | undefined;
  for (const attachment of present) {
    const id = attachment.metadata?.name ?? "";
    if (users.has(attachment.spec?.nodeName ?? "")) {
      memory.detachSinceMs.delete(id);
      yield* complainOfError(attachment, volume, users, memory);
      continue;
    }
    // Somebody's own, of a volume that is not there: no affair of this controller.
    if (volume === undefined && !ownName.test(id)) continue;
    const again = yield* detach(attachment, context, memory);
    if (again !== undefined) wait = Math.min(wait ?? again, again);
  }
  if (volume === undefined) return wait;
  for (const [node, podsThere] of users) {
    yield* attach({ volume, node, podsThere, present, users }, caches, memory);
  }
  return wait;
}

interface Wish {
  volume: PersistentVolume;
  node: string;
  podsThere: readonly Pod[];
  present: readonly VolumeAttachment[];
  users: ReadonlyMap<string, readonly Pod[]>;
}

function* attach(wish: Wish, caches: Caches, memory: Memory): Steps {
  const { volume, node, present } = wish;
  if (!isManaged(caches.of(nodes).get("", node))) return;
  if (present.some(({ spec }) => spec?.nodeName === node)) return;
  if (present.length > 0 && !mayBeShared(volume)) {
    yield* complainOfSharing(wish, memory);
    return;
  }
  const { driver = "", volumeHandle = "" } = volume.spec?.csi ?? {};
  // The kubelet looks for it by this name.
  const name = `csi-${memory.digests.sha256(volumeHandle + driver + node)}`;
  const outcome = yield* attempt({
    do: "create",
    resource: volumeAttachments,
    object: {
      apiVersion: "storage.k8s.io/v1",
      kind: "VolumeAttachment",
      metadata: { name },
      spec: {
        attacher: driver,
        nodeName: node,
        source: { persistentVolumeName: volume.metadata?.name },
      },
    } as VolumeAttachment,
    hop: "attach-detach.attach",
  });
  if (outcome.error !== undefined) throw outcome.error;
}

/** A volume for one node is wanted at two: its pods are told who has it, without other secrets. */
function* complainOfSharing(
  { volume, node, podsThere, present, users }: Wish,
  memory: Memory,
): Steps {
  const key = `${volume.metadata?.name} ${node}`;
  if (memory.complained.has(key)) return;
  memory.complained.add(key);
  const others = present.flatMap(({ spec }) => users.get(spec?.nodeName ?? "") ?? []);
  for (const pod of podsThere) {
    const namespace = pod.metadata?.namespace;
    const local = others.filter(({ metadata }) => metadata?.namespace === namespace);
    const foreign = others.length - local.length;
    let why = "Volume is already exclusively attached to one node and can't be attached to another";
    if (local.length > 0) {
      const names = local.map(({ metadata }) => metadata?.name).join(", ");
      why = `Volume is already used by pod(s) ${names}`;
      if (foreign > 0) why += ` and ${foreign} pod(s) in different namespaces`;
    } else if (foreign > 0) {
      why = `Volume is already used by ${foreign} pod(s) in different namespaces`;
    }
    const message = `Multi-Attach error for volume "${volume.metadata?.name}" ${why}`;
    yield* note(pod, "Warning", "FailedAttachVolume", message);
  }
}

function* complainOfError(
  attachment: VolumeAttachment,
  volume: PersistentVolume | undefined,
  users: ReadonlyMap<string, readonly Pod[]>,
  memory: Memory,
): Steps {
  const error = attachment.status?.attachError;
  if (error === undefined || volume === undefined) return;
  const key = `${attachment.metadata?.uid} ${error.time} ${error.message}`;
  if (memory.complained.has(key)) return;
  memory.complained.add(key);
  const name = volume.metadata?.name;
  const message = `AttachVolume.Attach failed for volume "${name}" : ${error.message}`;
  for (const pod of users.get(attachment.spec?.nodeName ?? "") ?? []) {
    yield* note(pod, "Warning", "FailedAttachVolume", message);
  }
}

const isHealthy = (node: Node | undefined): boolean =>
  node?.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";

const isOutOfService = (node: Node | undefined): boolean =>
  node?.spec?.taints?.some(({ key }) => key === "node.kubernetes.io/out-of-service") === true;

/** Answers when to look again. */
function* detach(
  attachment: VolumeAttachment,
  { caches, nowMs }: Context,
  memory: Memory,
): Steps<number | undefined> {
  const id = attachment.metadata?.name ?? "";
  if (attachment.metadata?.deletionTimestamp !== undefined) return undefined;
  const nodeName = attachment.spec?.nodeName ?? "";
  const sinceMs = memory.detachSinceMs.get(id) ?? nowMs;
  memory.detachSinceMs.set(id, sinceMs);
  const volume = volumeOf(attachment, caches);
  const unique = volume === undefined ? undefined : uniqueName(volume);
  const known = caches.of(nodes).get("", nodeName);
  const late = nowMs - sinceMs >= forceAfterMs && !isHealthy(known);
  const force = late || isOutOfService(known);
  if (known !== undefined && unique !== undefined) {
    if (isInUse(known, unique) && !force) return forceAfterMs - (nowMs - sinceMs);
    // The node must be told before the volume goes; node/NAME does that.
    if (isReported(known, unique)) return lookAgainMs;
    if (!force) {
      const fresh = yield* read(nodes, "", nodeName);
      if (isInUse(fresh, unique)) return lookAgainMs;
    }
  }
  memory.detachSinceMs.delete(id);
  yield* remove(volumeAttachments, attachment, { hop: "attach-detach.detach" });
  return undefined;
}

/** What the node's status shall say is attached; whoever waits for it is told. */
export function* reportAttached(name: string, { caches }: Context): Steps<undefined> {
  const node = caches.of(nodes).get("", name);
  if (node === undefined || !isManaged(node)) return undefined;
  const added: { volume: PersistentVolume; podsThere: readonly Pod[] }[] = [];
  const list: { name: string; devicePath: string }[] = [];
  for (const attachment of caches.of(volumeAttachments).byIndex("nodes", name)) {
    const volume = volumeOf(attachment, caches);
    if (volume === undefined || attachment.status?.attached !== true) continue;
    if (attachment.metadata?.deletionTimestamp !== undefined) continue;
    const unique = uniqueName(volume);
    const podsThere = usersOf(volume, caches).get(name) ?? [];
    if (podsThere.length === 0 && !isInUse(node, unique)) continue;
    list.push({ name: unique, devicePath: "" });
    if (!isReported(node, unique)) added.push({ volume, podsThere });
  }
  list.sort((a, b) => (a.name < b.name ? -1 : 1));
  const before = (node.status?.volumesAttached ?? []).map((entry) => ({
    name: entry.name,
    devicePath: entry.devicePath ?? "",
  }));
  if (deepEqual(list, before)) return undefined;
  const volumesAttached = list.length === 0 ? null : list;
  yield* mergePatch(nodes, node, { status: { volumesAttached } }, "status");
  for (const { volume, podsThere } of added) {
    const message = `AttachVolume.Attach succeeded for volume "${volume.metadata?.name}" `;
    for (const pod of podsThere) {
      yield* note(pod, "Normal", "SuccessfulAttachVolume", message);
    }
  }
  return undefined;
}
