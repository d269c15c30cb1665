/**
 * What every pod was granted and what the runtime has taken, kept over a restart of the kubelet.
 *
 * One file a pod, `<root>/pods/<uid>/resources.json`, so that it goes with the pod's directory: a
 * spec that changed while the kubelet was away is seen as a wish, not as what runs.
 * Source  pkg/kubelet/allocation/state (upstream: two checkpoints for all pods)
 */
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pod, PodCondition, ResourceRequirements } from "@nanokube/api/core/v1";
import { podUID } from "../core/pod.ts";
import { type Allocation, allocationOf, withAllocation } from "../core/resize.ts";

const FILE = "resources.json";

export interface ResizeConditions {
  pending?: PodCondition;
  inProgress?: PodCondition;
}

interface Entry {
  allocated: Allocation;
  actuated: Allocation;
  conditions: ResizeConditions;
  dirty: boolean;
}

export class ResourceLedger {
  readonly #rootDir: string;
  readonly #entries = new Map<string, Entry>();

  constructor(rootDir: string) {
    this.#rootDir = rootDir;
  }

  #file(uid: string): string {
    return join(this.#rootDir, "pods", uid, FILE);
  }

  /** The pod is taken in: what an earlier kubelet noted counts, else what it asks for. */
  open(pod: Pod): void {
    const uid = podUID(pod);
    if (this.#entries.has(uid)) return;
    const fresh = allocationOf(pod);
    const conditions = conditionsOf(pod);
    try {
      const noted = JSON.parse(readFileSync(this.#file(uid), "utf8")) as Entry;
      const { allocated, actuated } = noted;
      this.#entries.set(uid, { allocated, actuated, conditions, dirty: false });
    } catch {
      const actuated = pod.status?.startTime === undefined ? emptyAllocation(pod) : fresh;
      this.#entries.set(uid, { allocated: fresh, actuated, conditions, dirty: true });
    }
  }

  allocatedPod(pod: Pod): Pod {
    return withAllocation(pod, this.#entries.get(podUID(pod))?.allocated);
  }

  allocate(pod: Pod): void {
    const entry = this.#entries.get(podUID(pod));
    if (entry === undefined) return;
    entry.allocated = allocationOf(pod);
    entry.dirty = true;
  }

  actuated(uid: string): Allocation | undefined {
    return this.#entries.get(uid)?.actuated;
  }

  /** The runtime has taken these for the container. */
  actuate(uid: string, container: string, resources: ResourceRequirements): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.actuated.containers[container] = resources;
    entry.dirty = true;
  }

  actuatePod(pod: Pod): void {
    const entry = this.#entries.get(podUID(pod));
    if (entry === undefined) return;
    const whole = pod.spec?.resources;
    if (whole === undefined) delete entry.actuated.pod;
    else entry.actuated.pod = whole;
    entry.dirty = true;
  }

  conditions(uid: string): ResizeConditions {
    return this.#entries.get(uid)?.conditions ?? {};
  }

  set(uid: string, kind: keyof ResizeConditions, condition: PodCondition | undefined): void {
    const conditions = this.#entries.get(uid)?.conditions;
    if (conditions === undefined) return;
    if (condition === undefined) delete conditions[kind];
    else conditions[kind] = condition;
  }

  /** UIDs of pods whose wish waits for room. */
  pending(): string[] {
    return [...this.#entries].filter(([, e]) => e.conditions.pending).map(([uid]) => uid);
  }

  /** The pod's directory is there: note what is not noted yet. */
  async save(uid: string): Promise<void> {
    const entry = this.#entries.get(uid);
    if (entry === undefined || !entry.dirty) return;
    entry.dirty = false;
    const { allocated, actuated } = entry;
    const file = this.#file(uid);
    await writeFile(`${file}.new`, JSON.stringify({ allocated, actuated }));
    await rename(`${file}.new`, file);
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }
}

/** Nothing of a new pod runs yet; its own group is made with what it was granted. */
const emptyAllocation = (pod: Pod): Allocation => ({ ...allocationOf(pod), containers: {} });

function conditionsOf(pod: Pod): ResizeConditions {
  const find = (type: string) => pod.status?.conditions?.find((c) => c.type === type);
  const [pending, inProgress] = [find("PodResizePending"), find("PodResizeInProgress")];
  return { ...(pending && { pending }), ...(inProgress && { inProgress }) };
}
