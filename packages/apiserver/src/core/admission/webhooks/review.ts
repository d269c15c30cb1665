/**
 * One question to one webhook, and what its answer means.
 *
 * Errors  WebhookFailure   there was no answer, or not one that counts: failurePolicy decides
 *         StatusError      the webhook said no
 * Source  staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/{request/admissionreview,
 *         errors/statuserror}.go
 */
import type { AdmissionRequest, AdmissionReview } from "@nanokube/api/admission/v1";
import {
  badRequest,
  type KubeObject,
  quoteGo,
  type Random,
  type Status,
  StatusError,
} from "@nanokube/machinery";
import type { AdmissionAttributes } from "../plugin.ts";
import type { WebhookCaller } from "./caller.ts";
import type { Webhook } from "./match.ts";

export class WebhookFailure extends Error {
  /** For what is counted: of its HTTP answer, or what stands for none. */
  readonly code: number;

  constructor(webhook: Webhook, why: string, code = 503) {
    super(`failed calling webhook ${quoteGo(webhook.name ?? "")}: ${why}`);
    this.name = "WebhookFailure";
    this.code = code;
  }
}

export interface Answer {
  /** base64 of a JSON Patch. */
  patch?: string;
  patchType?: string;
}

const reviewVersions = ["v1", "v1beta1"];

/** A subresource's object has a kind of its own (Scale, Eviction). */
function kindOf({ resource, object, oldObject }: AdmissionAttributes) {
  const shown = object ?? oldObject;
  const { group, version, kind } = resource;
  if (!shown?.kind || !shown.apiVersion) return { group, version, kind };
  const [first = "", second] = shown.apiVersion.split("/");
  return second === undefined
    ? { group: "", version: first, kind: shown.kind }
    : { group: first, version: second, kind: shown.kind };
}

type Fields = Record<string, unknown>;

export function requestOf(attributes: AdmissionAttributes, uid: string): AdmissionRequest {
  const { resource, subresource, user, object, oldObject } = attributes;
  const kind = kindOf(attributes);
  const typeMeta = {
    apiVersion: kind.group === "" ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
  };
  const named = { group: resource.group, version: resource.version, resource: resource.plural };
  const { requested } = attributes;
  const askedFor =
    requested === undefined
      ? named
      : { group: requested.group, version: requested.version, resource: requested.plural };
  const isOwnKind = requested !== undefined && kind.kind === resource.kind;
  const asked = isOwnKind ? { ...kind, group: requested.group, version: requested.version } : kind;
  const sub = subresource === "" ? {} : { subResource: subresource };
  const full = (tree: KubeObject | undefined) => (tree ? { ...typeMeta, ...tree } : null) as Fields;
  return {
    uid,
    kind,
    resource: named,
    ...sub,
    requestKind: asked,
    requestResource: askedFor,
    ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(attributes.name === "" ? {} : { name: attributes.name }),
    ...(attributes.namespace === "" ? {} : { namespace: attributes.namespace }),
    operation: attributes.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: [...user.groups],
      ...(user.extra === undefined ? {} : { extra: user.extra as Record<string, string[]> }),
    },
    object: full(object),
    oldObject: full(oldObject),
    dryRun: attributes.dryRun,
    options: attributes.options as unknown as Fields,
  };
}

function denial(webhook: Webhook, result: Status | undefined): StatusError {
  const denied = `admission webhook ${quoteGo(webhook.name ?? "")} denied the request`;
  const { message, reason } = result ?? {};
  const code = result?.code ?? 0;
  const said = message || reason;
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    ...result,
    status: result?.status && result.status !== "Success" ? result.status : "Failure",
    code: Math.max(code, 400),
    message: said ? `${denied}: ${said}` : `${denied} without explanation`,
  } as Status);
}

/** What is wrong with the form of the answer, if anything. */
function mistake(review: AdmissionReview, uid: string, version: string, mayPatch: boolean) {
  const { response } = review;
  if (response === undefined || response === null) return "webhook response was absent";
  const isV1 = version === "v1";
  if (isV1 && response.uid !== uid) {
    return `expected response.uid=${quoteGo(uid)}, got ${quoteGo(response.uid ?? "")}`;
  }
  const got = `${review.apiVersion ?? ""}, Kind=${review.kind ?? ""}`;
  const want = `admission.k8s.io/${version}, Kind=AdmissionReview`;
  if (isV1 && got !== want) {
    return `expected webhook response of ${want}, got ${got === ", Kind=" ? "/, Kind=" : got}`;
  }
  if (!mayPatch) {
    if (response.patch) return "validating webhook may not return response.patch";
    return response.patchType === undefined
      ? undefined
      : "validating webhook may not return response.patchType";
  }
  if (isV1 && response.patch && response.patchType === undefined) {
    return "webhook returned response.patch but not response.patchType";
  }
  if (isV1 && !response.patch && response.patchType !== undefined) {
    return "webhook returned response.patchType but not response.patch";
  }
  return undefined;
}

export async function ask(
  webhook: Webhook,
  attributes: AdmissionAttributes,
  { call, random, mayPatch }: { call?: WebhookCaller; random: Random; mayPatch: boolean },
): Promise<Answer> {
  const sideEffects = webhook.sideEffects ?? "";
  if (attributes.dryRun && sideEffects !== "None" && sideEffects !== "NoneOnDryRun") {
    throw badRequest(`admission webhook ${quoteGo(webhook.name ?? "")} does not support dry run`);
  }
  const version = webhook.admissionReviewVersions?.find((each) => reviewVersions.includes(each));
  const known = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
  if (version === undefined) {
    throw new WebhookFailure(webhook, `could not create admission objects: ${known}`);
  }
  const uid = random.uuid();
  const apiVersion = `admission.k8s.io/${version}`;
  const request = requestOf(attributes, uid);
  let answered: AdmissionReview;
  try {
    if (call === undefined) throw new Error("this server calls no webhooks");
    answered = (await call({
      client: webhook.clientConfig ?? {},
      review: { kind: "AdmissionReview", apiVersion, request },
      timeoutSeconds: webhook.timeoutSeconds ?? 10,
    })) as AdmissionReview;
  } catch (error) {
    const { message, status = 400 } = error as Error & { status?: number };
    throw new WebhookFailure(webhook, `failed to call webhook: ${message}`, status);
  }
  const wrong = mistake(answered, uid, version, mayPatch);
  if (wrong !== undefined) {
    throw new WebhookFailure(webhook, `received invalid webhook response: ${wrong}`);
  }
  const { allowed, status, warnings = [], patch, patchType } = answered.response ?? {};
  for (const [key, value] of Object.entries(answered.response?.auditAnnotations ?? {})) {
    attributes.annotate?.(`${webhook.name}/${key}`, value);
  }
  for (const text of warnings) attributes.warn(text);
  if (!allowed) throw denial(webhook, status as Status | undefined);
  return patch ? { patch, patchType: patchType ?? "JSONPatch" } : {};
}
