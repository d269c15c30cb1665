/**
 * ResourceQuota: a namespace may not use more than its quotas allow.
 *
 * What is let in is added to `used` in the quota's status, with its version as the guard, before
 * the object is stored. The quota controller recounts when something goes; until it has counted
 * once, a quota limits nothing. One request of a namespace is charged at a time.
 *
 * Source  apiserver pkg/admission/plugin/resourcequota/controller.go CheckRequest, checkQuotas
 */
import type { PersistentVolumeClaim, Pod, ResourceQuota } from "@nanokube/api/core/v1";
import { type Clock, type KubeObject, parseQuantity, StatusError } from "@nanokube/machinery";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../plugin.ts";
import { refuse } from "../refuse.ts";
import { isInScope } from "./scopes.ts";
import { concerns, increase, missingResources, type Usage, usageOf, usageText } from "./usage.ts";
import { WrittenQuotas } from "./written-quotas.ts";

/** Reads and writes quotas as the server itself. */
export interface QuotaWriter {
  read(namespace: string, name: string): Promise<ResourceQuota | undefined>;
  /** @throws StatusError 409 when it was written meanwhile */
  writeStatus(quota: ResourceQuota): Promise<ResourceQuota>;
}

const retries = 3;
const zero = parseQuantity("0");

const notCounted = new Set([
  "/bindings",
  "/events",
  "events.k8s.io/events",
  "authorization.k8s.io/localsubjectaccessreviews",
]);

function claimGrows({ object, oldObject }: AdmissionAttributes): boolean {
  const allocated = (claim: KubeObject | undefined) =>
    String((claim as PersistentVolumeClaim | undefined)?.status?.allocatedResources?.storage ?? "");
  return allocated(object) !== allocated(oldObject);
}

function handles(attributes: AdmissionAttributes): boolean {
  const { operation, resource, subresource, namespace } = attributes;
  const key = `${resource.group}/${resource.plural}`;
  if (namespace === "" || key === "/namespaces" || notCounted.has(key)) return false;
  const [creates, updates] = [operation === "CREATE", operation === "UPDATE"];
  switch (key) {
    case "/pods": {
      if (subresource === "resize") return updates;
      const deadline = (pod: KubeObject | undefined) =>
        ((pod as Pod | undefined)?.spec?.activeDeadlineSeconds ?? -1) >= 0;
      if (subresource !== "") return false;
      const moved = () => deadline(attributes.object) !== deadline(attributes.oldObject);
      return creates || (updates && moved());
    }
    case "/services":
      return subresource === "" && (creates || updates);
    case "/persistentvolumeclaims":
      if (subresource === "status") return updates && claimGrows(attributes);
      return subresource === "" && (creates || updates);
  }
  return subresource === "" && creates;
}

interface Ask {
  attributes: AdmissionAttributes;
  object: KubeObject;
  now: number;
}

type Amounts = Record<string, string>;

function concernedNames(quota: ResourceQuota, { attributes }: Ask): string[] {
  const { group, plural } = attributes.resource;
  return Object.keys(quota.status?.hard ?? {}).filter((name) => concerns(name, group, plural));
}

/** Does the quota speak of the object? Refuses one that does not say what it needs. */
function isConcerned(quota: ResourceQuota, ask: Ask): boolean {
  const { attributes, object } = ask;
  const { group, plural } = attributes.resource;
  const names = concernedNames(quota, ask);
  if (names.length === 0 || !isInScope(quota, plural, object)) return false;
  const name = quota.metadata?.name ?? "";
  if (group === "" && plural === "pods") {
    const missing = missingResources(object as Pod, names);
    if (missing !== undefined) throw refuse(attributes, `failed quota: ${name}: ${missing}`);
  }
  const used = quota.status?.used ?? {};
  if (names.some((each) => used[each] === undefined)) {
    const listed = names.sort().join(",");
    throw refuse(attributes, `status unknown for quota: ${name}, resources: ${listed}`);
  }
  return true;
}

function risen(quota: ResourceQuota, { attributes, object, now }: Ask): Usage {
  const { operation, oldObject, resource } = attributes;
  const { group, plural } = resource;
  const after = usageOf(group, plural, object, now);
  const counts = operation === "UPDATE" && oldObject && isInScope(quota, plural, oldObject);
  return increase(after, counts ? usageOf(group, plural, oldObject, now) : {});
}

function pick(from: Amounts, names: readonly string[]): Usage {
  return Object.fromEntries(names.map((name) => [name, parseQuantity(from[name] ?? "0")]));
}

/** The quota with the object on its bill; undefined when that changes nothing. */
function charged(quota: ResourceQuota, ask: Ask): ResourceQuota | undefined {
  const { attributes } = ask;
  const requested = risen(quota, ask);
  const hard = (quota.status?.hard ?? {}) as Amounts;
  const used = (quota.status?.used ?? {}) as Amounts;
  const wanted = concernedNames(quota, ask).filter((name) => requested[name] !== undefined);
  if (wanted.length === 0) return undefined;
  const sum: Amounts = { ...used };
  const exceeded: string[] = [];
  for (const name of wanted) {
    const total = parseQuantity(used[name] ?? "0").add(requested[name] ?? zero);
    sum[name] = total.toString();
    if (total.cmp(parseQuantity(hard[name] ?? "0")) > 0) exceeded.push(name);
  }
  if (exceeded.length > 0 && attributes.subresource !== "status") {
    const asked = Object.fromEntries(exceeded.map((name) => [name, requested[name] ?? zero]));
    const texts = [asked, pick(used, exceeded), pick(hard, exceeded)].map(usageText);
    const why = `requested: ${texts[0]}, used: ${texts[1]}, limited: ${texts[2]}`;
    throw refuse(attributes, `exceeded quota: ${quota.metadata?.name ?? ""}, ${why}`);
  }
  return { ...quota, status: { ...quota.status, used: sum } };
}

/** Puts the object on the bill of all quotas that speak of it, and writes the bills. */
async function charge(
  quotas: readonly ResourceQuota[],
  ask: Ask,
  { writer, written }: { writer: QuotaWriter; written: WrittenQuotas },
): Promise<void> {
  let left = quotas;
  for (let attempt = 0; ; attempt++) {
    const concerned = left.filter((quota) => isConcerned(quota, ask));
    const bills = concerned.flatMap((quota) => charged(quota, ask) ?? []);
    if (ask.attributes.dryRun) return;
    const failed: ResourceQuota[] = [];
    let why: unknown;
    for (const bill of bills) {
      try {
        written.remember(await writer.writeStatus(bill));
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        why = error;
        failed.push(bill);
      }
    }
    if (failed.length === 0) return;
    if (attempt === retries) throw why;
    const now = await Promise.all(
      failed.map(({ metadata }) => writer.read(metadata?.namespace ?? "", metadata?.name ?? "")),
    );
    // One that is gone limits nothing any more.
    left = now.filter((quota) => quota !== undefined);
  }
}

export function createResourceQuota(clock: Clock, writer?: QuotaWriter): AdmissionPlugin {
  const written = new WrittenQuotas();
  /** The last request of each namespace that is being charged. */
  const turns = new Map<string, Promise<void>>();

  async function inTurn(namespace: string, work: () => Promise<void>): Promise<void> {
    const before = turns.get(namespace) ?? Promise.resolve();
    const mine = before.then(work);
    const settled = mine.catch(() => undefined);
    turns.set(namespace, settled);
    try {
      await mine;
    } finally {
      if (turns.get(namespace) === settled) turns.delete(namespace);
    }
  }

  async function validate(attributes: AdmissionAttributes, reader: ObjectReader) {
    const { namespace, object } = attributes;
    if (object === undefined) return;
    const found = await reader.list("", "resourcequotas", namespace);
    if (found.length === 0) return;
    const ask = { attributes, object, now: clock.now() };
    if (writer === undefined) {
      for (const quota of found.filter((each) => isConcerned(each, ask))) charged(quota, ask);
      return;
    }
    await inTurn(namespace, async () => {
      const cached = await reader.list("", "resourcequotas", namespace);
      await charge(written.newest(namespace, cached), ask, { writer, written });
    });
  }

  return { name: "ResourceQuota", handles, validate };
}
