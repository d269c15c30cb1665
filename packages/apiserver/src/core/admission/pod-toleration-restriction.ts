/**
 * PodTolerationRestriction, on request: pods of a namespace tolerate what the namespace says, and
 * nothing that it does not allow; pods with requests also tolerate a node that is short of memory.
 *
 * Shapes  annotations scheduler.alpha.kubernetes.io/defaultTolerations and …/tolerationsWhitelist
 *         of the namespace, JSON lists; configuration { default, whitelist } where it has none
 * Source  plugin/pkg/admission/podtolerationrestriction/admission.go, pkg/util/tolerations
 */
import type { Namespace, Pod, Toleration } from "@nanokube/api/core/v1";
import { deepEqual, genericStatus, notFound } from "@nanokube/machinery";
import type { ObjectReader } from "../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor } from "./refuse.ts";

const lead = "scheduler.alpha.kubernetes.io";
const memoryPressure: Toleration = {
  key: "node.kubernetes.io/memory-pressure",
  operator: "Exists",
  effect: "NoSchedule",
};

interface Configuration {
  default?: Toleration[];
  whitelist?: Toleration[];
}

export function createPodTolerationRestriction(configuration: unknown): AdmissionPlugin {
  const usual = (configuration ?? {}) as Configuration;
  const check = (pod: Pod, namespace: Namespace): void => {
    const own = tolerationsIn(namespace, "tolerationsWhitelist");
    const allowed = own ?? usual.whitelist ?? [];
    const tolerations = pod.spec?.tolerations ?? [];
    if (allowed.length === 0) return;
    if (tolerations.every((one) => allowed.some((wide) => covers(wide, one)))) return;
    const scope = own === undefined ? "cluster" : "namespace";
    const what = "pod tolerations (possibly merged with namespace default tolerations)";
    throw failure(`${what} conflict with its ${scope} whitelist`);
  };
  return {
    name: "PodTolerationRestriction",
    handles: (attributes) =>
      ["CREATE", "UPDATE"].includes(attributes.operation) && isFor(attributes, "", "pods"),
    async admit(attributes, reader) {
      const namespace = await namespaceOf(attributes, reader);
      const pod = attributes.object as Pod;
      const isNew = attributes.operation === "CREATE";
      const extra = isNew
        ? [...(tolerationsIn(namespace, "defaultTolerations") ?? usual.default ?? [])]
        : [];
      if (asksForSomething(pod)) extra.push(memoryPressure);
      if (extra.length > 0) {
        const tolerations = merged([...(pod.spec?.tolerations ?? []), ...extra]);
        pod.spec = { ...pod.spec, tolerations };
      }
      check(pod, namespace);
    },
    async validate(attributes, reader) {
      check(attributes.object as Pod, await namespaceOf(attributes, reader));
    },
  };
}

/** Upstream's plugin fails without a kind of error. */
const failure = (why: string) => genericStatus(500, "", why);

async function namespaceOf(
  { namespace }: AdmissionAttributes,
  reader: ObjectReader,
): Promise<Namespace> {
  const found = await reader.get("", "namespaces", "", namespace);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  return found as Namespace;
}

/** Undefined where the namespace says nothing; none where it says so. */
function tolerationsIn({ metadata }: Namespace, name: string): Toleration[] | undefined {
  const text = metadata?.annotations?.[`${lead}/${name}`];
  if (text === undefined) return undefined;
  if (text === "") return [];
  try {
    return JSON.parse(text) as Toleration[];
  } catch (error) {
    throw failure((error as Error).message);
  }
}

/** Whether the pod is more than best effort. */
function asksForSomething({ spec }: Pod): boolean {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), { ...spec }];
  return all.some(({ resources }) =>
    [resources?.requests, resources?.limits].some((list) =>
      ["cpu", "memory"].some((name) => !["0", 0, undefined].includes(list?.[name] as string)),
    ),
  );
}

/** Those that others cover are left out; of equal ones the first stays. */
function merged(all: readonly Toleration[]): Toleration[] {
  const kept: Toleration[] = [];
  for (const [i, one] of all.entries()) {
    const isCovered =
      kept.some((wide) => covers(wide, one)) ||
      all.slice(i + 1).some((wide) => !deepEqual(one, wide) && covers(wide, one));
    if (!isCovered) kept.push(one);
  }
  return kept;
}

function covers(wide: Toleration, one: Toleration): boolean {
  if (deepEqual(wide, one)) return true;
  const isAnyKey = !wide.key && wide.operator === "Exists";
  if ((one.key ?? "") !== (wide.key ?? "") && !isAnyKey) return false;
  if ((one.effect ?? "") !== (wide.effect ?? "") && wide.effect) return false;
  if (wide.effect === "NoExecute" && wide.tolerationSeconds !== undefined) {
    if (one.tolerationSeconds === undefined) return false;
    if (one.tolerationSeconds > wide.tolerationSeconds) return false;
  }
  if (wide.operator === "Exists") return true;
  return one.operator === "Equal" && (one.value ?? "") === (wide.value ?? "");
}
