/**
 * MutatingAdmissionWebhook: one after the other, by configuration name; each sees what those before
 * it changed. A webhook with reinvocationPolicy IfNeeded is asked a second time when something
 * changed after it.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/{dispatcher,
 *         reinvocationcontext}.go
 */
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
} from "@nanokube/api/admissionregistration/v1";
import {
  applyJSONPatch,
  deepEqual,
  internalError,
  type JSONPatchOperation,
  type KubeObject,
  quoteGo,
  StatusError,
} from "@nanokube/machinery";
import { strategyFor } from "../../../resources/index.ts";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes, AdmissionPass, AdmissionPlugin } from "../plugin.ts";
import { askedAbout, type WebhookTools } from "./asked.ts";
import { become } from "./become.ts";
import { isExempt } from "./match.ts";
import { MutationNotes } from "./mutation-notes.ts";
import { observed } from "./observed.ts";
import { type Answer, ask, WebhookFailure } from "./review.ts";
import type { Match } from "./versions.ts";

function decodePatch(webhook: MutatingWebhook, patch: string): JSONPatchOperation[] {
  let text = "";
  try {
    const bytes = Uint8Array.from(atob(patch), (letter) => letter.charCodeAt(0));
    text = new TextDecoder().decode(bytes);
    return JSON.parse(text) as JSONPatchOperation[];
  } catch (error) {
    const { message } = error as Error;
    const isCut =
      message.includes(`at position ${text.length}`) || message.includes("Unexpected end");
    const said = isCut ? "unexpected end of JSON input" : message;
    throw new WebhookFailure(webhook, `received undecodable patch in webhook response: ${said}`);
  }
}

/** @returns whether the patch changed anything */
async function applyPatch(
  webhook: MutatingWebhook,
  original: KubeObject | undefined,
  { attributes: { object, resource, subresource }, back }: Match,
  { patch, patchType }: Answer,
  notes: MutationNotes,
): Promise<boolean> {
  if (patch === undefined) return false;
  const operations = decodePatch(webhook, patch);
  if (operations.length === 0) return false;
  if (patchType !== "JSONPatch") {
    throw new WebhookFailure(webhook, `unsupported patch type ${quoteGo(patchType ?? "")}`);
  }
  if (object === undefined || original === undefined) {
    const tried = `admission webhook "${webhook.name}" attempted to modify the object`;
    throw internalError(`${tried}, which is not supported for this operation`);
  }
  let changed: KubeObject;
  try {
    changed = applyJSONPatch(object, operations);
  } catch (error) {
    throw internalError(error);
  }
  notes.patched(operations);
  if (deepEqual(changed, object)) return false;
  if (subresource === "" || subresource === "status") {
    strategyFor(resource.group, resource.kind).default?.(changed);
  }
  become(original, await back(changed));
  return true;
}

export function createMutatingWebhooks(tools: WebhookTools): AdmissionPlugin {
  const { call, random, log, clock, metrics } = tools;

  async function consult(
    webhook: MutatingWebhook,
    original: AdmissionAttributes,
    match: Match,
    notes: MutationNotes,
  ) {
    let changed = false;
    try {
      const options = { ...(call ? { call } : {}), random, mayPatch: true };
      const { operation } = original;
      await observed({ webhook, type: "admit", operation, clock, metrics }, async () => {
        const answer = await ask(webhook, match.attributes, options);
        changed = await applyPatch(webhook, original.object, match, answer, notes);
      });
      return changed;
    } catch (error) {
      if (error instanceof StatusError || !(error instanceof WebhookFailure)) throw error;
      if (webhook.failurePolicy !== "Ignore") throw internalError(error);
      log.warn({ error: error.message }, "failed calling webhook, failing open");
      notes.failedOpen();
      return false;
    } finally {
      notes.mutated(changed);
    }
  }

  async function admit(attributes: AdmissionAttributes, reader: ObjectReader, pass: AdmissionPass) {
    const configurations = (await reader.list(
      "admissionregistration.k8s.io",
      "mutatingwebhookconfigurations",
    )) as MutatingWebhookConfiguration[];
    const nameOf = (each: MutatingWebhookConfiguration) => each.metadata?.name ?? "";
    const sorted = [...configurations].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    const requireAll = () => {
      for (const id of pass.reinvocable) pass.toReinvoke.add(id);
      pass.reinvocable.clear();
    };
    if (pass.isSecond && pass.changedSince(attributes.object)) requireAll();
    let place = -1;
    for (const configuration of sorted) {
      for (const [index, webhook] of (configuration.webhooks ?? []).entries()) {
        place++;
        const id = `${nameOf(configuration)}/${index}/${webhook.name}`;
        if (pass.isSecond && !pass.toReinvoke.has(id)) continue;
        const match = await askedAbout(webhook, attributes, reader, tools);
        if (match === undefined) continue;
        const notes = new MutationNotes({
          annotate: attributes.annotate,
          isSecond: pass.isSecond,
          index: place,
          configuration: nameOf(configuration),
          webhook: webhook.name ?? "",
        });
        if (await consult(webhook, attributes, match, notes)) {
          requireAll();
          pass.needsSecond = true;
        }
        if (webhook.reinvocationPolicy === "IfNeeded") pass.reinvocable.add(id);
      }
    }
    pass.remember(attributes.object);
  }

  return {
    name: "MutatingAdmissionWebhook",
    handles: (attributes) => !isExempt(attributes),
    admit,
  };
}
