/**
 * Does what a reconciler yields, and tells it what came of it.
 *
 * Each write that succeeds is one structured log event: which controller did what to which object.
 */
import {
  type ApiObject,
  type Client,
  type EventRecorder,
  groupResourceOf,
  type ResourceRef,
} from "@nanokube/client";
import type { Log } from "@nanokube/machinery";
import type { Effect, EventNote, Follow, Outcome, Question, Read, Write } from "../core/steps.ts";
import { discoverResources } from "./discover.ts";

export interface Executor {
  perform(effects: readonly Effect[]): Promise<readonly Outcome[]>;
}

export interface ExecutorOptions {
  client: Client;
  recorder: EventRecorder;
  log: Log;
  controller: string;
  follow?: ((resource: ResourceRef) => Promise<void>) | undefined;
  answer?: ((question: unknown, signal: AbortSignal) => Promise<unknown>) | undefined;
  signal: AbortSignal;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const { recorder } = options;
  const one = async (effect: Effect): Promise<Outcome> => {
    try {
      if (effect.do === "event") return note(recorder, effect);
      if (effect.do === "ask") return await ask(options, effect);
      if (effect.do === "follow") return await follow(options, effect);
      if (effect.do === "get" || effect.do === "list" || effect.do === "discover") {
        return await read(options, effect);
      }
      const object = await write(options, effect);
      logHop(options, effect, object);
      return { object };
    } catch (error) {
      return { error: error as Error };
    }
  };
  return { perform: (effects) => Promise.all(effects.map(one)) };
}

async function ask({ answer, controller, signal }: ExecutorOptions, effect: Question) {
  if (answer === undefined) throw new Error(`${controller} has nobody to ask`);
  return { answer: await answer(effect.question, signal) };
}

async function follow({ follow: one, controller }: ExecutorOptions, effect: Follow) {
  if (one === undefined) throw new Error(`${controller} follows nothing`);
  await Promise.all(effect.resources.map(one));
  return {};
}

function note(recorder: EventRecorder, effect: EventNote): Outcome {
  recorder.event(effect.about, effect.type, effect.reason, effect.message);
  return {};
}

async function read({ client, signal }: ExecutorOptions, effect: Read): Promise<Outcome> {
  if (effect.do === "discover") return { resources: await discoverResources(client, signal) };
  const api = scoped(client, effect.resource, effect.namespace);
  if (effect.do === "get") {
    const { name, subresource } = effect;
    if (subresource === undefined) return { object: await api.get(name, { signal }) };
    return { object: await api.getSubresource<ApiObject>(name, subresource, { signal }) };
  }
  const list = await api.listAll({ labelSelector: effect.labelSelector, signal });
  return { items: list.items };
}

function scoped(client: Client, resource: ResourceRef, namespace: string) {
  const api = client.resource(resource);
  return namespace === "" ? api : api.namespace(namespace);
}

async function write({ client, signal }: ExecutorOptions, effect: Write): Promise<ApiObject> {
  const namespace = "object" in effect ? effect.object.metadata?.namespace : effect.namespace;
  const api = scoped(client, effect.resource, namespace ?? "");
  switch (effect.do) {
    case "create":
      return api.create(effect.object, { signal });
    case "update":
      return api.update(effect.object, { subresource: effect.subresource, signal });
    case "patch":
      return api.patch(effect.name, effect.patch, {
        type: effect.type,
        subresource: effect.subresource,
        fieldManager: effect.fieldManager,
        force: effect.type === "apply" ? true : undefined,
        signal,
      });
    case "delete":
      return (await api.delete(effect.name, {
        propagationPolicy: effect.propagationPolicy,
        gracePeriodSeconds: effect.gracePeriodSeconds,
        preconditions:
          effect.uid === undefined && effect.resourceVersion === undefined
            ? undefined
            : { uid: effect.uid, resourceVersion: effect.resourceVersion },
        signal,
      })) as ApiObject;
    case "deleteCollection":
      return (await api.deleteCollection({ signal })) as ApiObject;
    case "post":
      return api.createSubresource<ApiObject>(effect.name, effect.subresource, effect.body, {
        signal,
      });
  }
}

function logHop({ log, controller }: ExecutorOptions, effect: Write, object: ApiObject): void {
  const { namespace, name } =
    "object" in effect
      ? (object.metadata ?? {})
      : { ...effect, name: "name" in effect ? effect.name : "" };
  log.debug(
    {
      hop: ("hop" in effect ? effect.hop : undefined) ?? `${controller}.${effect.do}`,
      object: [groupResourceOf(effect.resource), namespace, name].filter(Boolean).join("/"),
      resourceVersion: object.metadata?.resourceVersion,
    },
    "hop",
  );
}
