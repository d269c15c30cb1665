/**
 * FlowSchemas that name a priority level which is not there: a condition of their status says so.
 *
 * Source  apiserver pkg/util/flowcontrol/apf_controller.go presyncFlowSchemaStatus
 */
import type { FlowSchema } from "@nanokube/api/flowcontrol/v1";
import { type KubeObject, type Log, quoteGo } from "@nanokube/machinery";
import type { CacheEvent, ResourceCache } from "../cache/resource-cache.ts";
import type { LocalClient } from "../local-client.ts";
import { formatTime } from "../rest/object-meta.ts";

const type = "Dangling";
const manager = "api-priority-and-fairness-config-consumer-v1";
const apiVersion = "flowcontrol.apiserver.k8s.io/v1";

type Condition = NonNullable<NonNullable<FlowSchema["status"]>["conditions"]>[number];

/** The condition to write; undefined when the schema says so already. */
export function danglingCondition(
  schema: FlowSchema,
  hasLevel: (name: string) => boolean,
  nowMs: number,
): Condition | undefined {
  const level = schema.spec?.priorityLevelConfiguration?.name ?? "";
  const found = hasLevel(level);
  const reference = `This FlowSchema references the PriorityLevelConfiguration object named ${quoteGo(level)}`;
  const next: Condition = {
    type,
    status: found ? "False" : "True",
    reason: found ? "Found" : "NotFound",
    message: `${reference} ${found ? "and it exists" : "but there is no such object"}`,
    lastTransitionTime: formatTime(nowMs),
  };
  const now = schema.status?.conditions?.find((condition) => condition.type === type);
  const isSame =
    now?.status === next.status && now?.reason === next.reason && now?.message === next.message;
  return isSame ? undefined : next;
}

export interface DanglingOptions {
  schemas: ResourceCache;
  levels: ResourceCache;
  local: LocalClient;
  now(): number;
  log: Log;
}

/** Keeps the condition of every schema up to date; the caches must be loaded. */
export function followDangling(options: DanglingOptions, signal: AbortSignal): void {
  const { schemas, levels, local, log } = options;
  let work = Promise.resolve();
  const write = async (name: string): Promise<void> => {
    const schema = schemas.get(name)?.shared() as FlowSchema | undefined;
    if (schema === undefined || signal.aborted) return;
    const hasLevel = (level: string): boolean => levels.get(level) !== undefined;
    const condition = danglingCondition(schema, hasLevel, options.now());
    if (condition === undefined) return;
    const path = `/apis/${apiVersion}/flowschemas/${name}/status`;
    const status = { conditions: [condition] };
    const applied: KubeObject = { apiVersion, kind: "FlowSchema", metadata: { name }, status };
    await local.apply(path, manager, applied);
  };
  const queue = (name: string): void => {
    work = work.then(() =>
      write(name).catch((error: unknown) => {
        log.debug({ flowSchema: name, error: String(error) }, "dangling condition");
      }),
    );
  };
  const all = (): void => {
    for (const schema of schemas.scan()) queue(schema.key);
  };
  const follow = (cache: ResourceCache, onEvent: (event: CacheEvent) => void): void => {
    const onReset = (): void => {
      if (signal.aborted) return;
      follow(cache, onEvent);
      all();
    };
    signal.addEventListener("abort", cache.watch({ onEvent, onReset }), { once: true });
  };
  follow(schemas, ({ object }) => {
    if (object !== undefined) queue(object.key);
  });
  follow(levels, ({ object, previous }) => {
    // Levels that come or go; what one says does not matter here.
    if (object === undefined || previous === undefined) all();
  });
  all();
}
