/**
 * Conversion of custom resources by the webhook of their definition.
 *
 * A webhook may change everything but who the object is: of its metadata only labels and
 * annotations are taken over.
 *
 * Errors  500 with upstream's text: `conversion webhook for GROUP/VERSION, Kind=KIND failed: …`
 * Source  apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go
 */
import type { CustomResourceDefinition, WebhookConversion } from "@nanokube/api/apiextensions/v1";
import {
  FieldPath,
  genericStatus,
  type KubeObject,
  quoteGo,
  type Random,
} from "@nanokube/machinery";
import { validateLabels } from "../../resources/labels.ts";
import { validateAnnotations } from "../../resources/object-meta.ts";
import type { WebhookCaller } from "../admission/webhooks/caller.ts";

const group = "apiextensions.k8s.io";
const timeoutSeconds = 30;
const metadataPath = FieldPath.root("metadata");

type Tree = Record<string, unknown>;

interface ConversionReview {
  kind?: string;
  apiVersion?: string;
  response?: {
    uid?: string;
    convertedObjects?: Tree[];
    result?: { status?: string; message?: string };
  } | null;
}

interface Tools {
  call: WebhookCaller;
  random: Random;
}

const gvk = ({ apiVersion = "", kind = "" }: { apiVersion?: string; kind?: string }): string =>
  `${apiVersion}, Kind=${kind}`;

class ConversionFailure extends Error {}

/** What the answer says went wrong, or the objects. */
function objectsIn(answer: ConversionReview, uid: string, version: string): Tree[] {
  const { response } = answer;
  const isV1 = version === "v1";
  const want = { apiVersion: `${group}/v1`, kind: "ConversionReview" };
  if (isV1 && gvk(answer) !== gvk(want)) {
    throw new ConversionFailure(`expected webhook response of ${gvk(want)}, got ${gvk(answer)}`);
  }
  if (response === undefined || response === null) {
    throw new ConversionFailure("no response provided");
  }
  if (isV1 && response.uid !== uid) {
    const got = quoteGo(response.uid ?? "");
    throw new ConversionFailure(`expected response.uid=${quoteGo(uid)}, got ${got}`);
  }
  const { status = "", message } = response.result ?? {};
  if (status !== "Success") {
    throw new ConversionFailure(message || `response.result.status was '${status}', not 'Success'`);
  }
  return response.convertedObjects ?? [];
}

/** The request, and a response that Go writes although it is empty. */
function reviewOf(version: string, uid: string, object: KubeObject, to: string): Tree {
  return {
    kind: "ConversionReview",
    apiVersion: `${group}/${version}`,
    request: { uid, desiredAPIVersion: to, objects: [object] },
    response: { uid: "", convertedObjects: null, result: { metadata: {} } },
  };
}

export async function convertByWebhook(
  crd: CustomResourceDefinition,
  object: KubeObject,
  apiVersion: string,
  { call, random }: Tools,
): Promise<KubeObject> {
  const webhook: Partial<WebhookConversion> = crd.spec?.conversion?.webhook ?? {};
  const { clientConfig, conversionReviewVersions = [] } = webhook;
  const version = conversionReviewVersions.find((each) => each === "v1" || each === "v1beta1");
  if (version === undefined)
    throw genericStatus(500, "", "no supported conversion review versions");
  const uid = random.uuid();
  const asked = `conversion webhook for ${gvk(object)}`;
  let found: Tree[];
  try {
    const review = reviewOf(version, uid, object, apiVersion);
    const client = clientConfig ?? {};
    const answer = await call({ client, review: review as never, timeoutSeconds });
    found = objectsIn(answer as ConversionReview, uid, version);
  } catch (error) {
    throw genericStatus(500, "", `${asked} failed: ${(error as Error).message}`);
  }
  const [converted] = found;
  if (converted === undefined || found.length > 1) {
    throw genericStatus(500, "", `${asked} returned ${found.length} objects, expected 1`);
  }
  return checked(asked, object, converted, apiVersion);
}

function checked(
  asked: string,
  original: KubeObject,
  converted: Tree,
  apiVersion: string,
): KubeObject {
  const refuse = (why: string, what = "object"): never => {
    throw genericStatus(500, "", `${asked} returned invalid ${what}: ${why}`);
  };
  const { kind, apiVersion: got = "" } = converted as KubeObject;
  if (!kind) {
    throw genericStatus(500, "", `Object 'Kind' is missing in '${JSON.stringify(converted)}'`);
  }
  if (got !== apiVersion) {
    const versions = `expected ${apiVersion}, received ${got}`;
    refuse(`invalid groupVersion (${versions})`, "object at index 0");
  }
  if (kind !== original.kind) {
    const kinds = `expected ${original.kind}, received ${kind}`;
    refuse(`invalid kind (${kinds})`, "object at index 0");
  }
  const wrong = otherIdentity(original, converted as KubeObject);
  if (wrong !== undefined) refuse(wrong);
  const metadata = restored(original, converted, (why) => refuse(why, "metadata"));
  return { ...(converted as KubeObject), metadata };
}

function otherIdentity(a: KubeObject, b: KubeObject): string | undefined {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  for (const [name, word] of [
    ["name", "name"],
    ["namespace", "namespace"],
    ["uid", "UID"],
  ] as const) {
    const [own, other] = [text(a.metadata?.[name]), text(b.metadata?.[name])];
    if (own !== other) return `must have the same ${word}: ${own} != ${other}`;
  }
  return undefined;
}

const goType = (value: unknown): string => {
  if (Array.isArray(value)) return "[]interface {}";
  if (value === null) return "<nil>";
  if (typeof value === "object") return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
};

const isTree = (value: unknown): value is Tree => goType(value) === "map[string]interface {}";

function restored(
  original: KubeObject,
  converted: Tree,
  refuse: (why: string) => never,
): NonNullable<KubeObject["metadata"]> {
  const said = converted["metadata"];
  if (!("metadata" in converted)) refuse("missing metadata in converted object");
  if (!isTree(said)) return refuse(`invalid metadata of type ${goType(said)} in converted object`);
  const metadata = { ...original.metadata } as Tree;
  for (const field of ["labels", "annotations"] as const) {
    const wish = said[field];
    if (wish === undefined || wish === null) {
      delete metadata[field];
      continue;
    }
    if (!isTree(wish)) {
      return refuse(`invalid metadata.${field} of type ${goType(wish)} in converted object`);
    }
    for (const [key, value] of Object.entries(wish)) {
      if (typeof value === "string") continue;
      const type = goType(value);
      return refuse(
        `metadata.${field}[${key}] must be a string, but is ${type} in converted object`,
      );
    }
    const texts = wish as Record<string, string>;
    const errors =
      field === "labels"
        ? validateLabels(texts, metadataPath.child("labels"))
        : validateAnnotations(texts, metadataPath.child("annotation"));
    if (errors.length > 0) {
      const all = errors.map(String);
      return refuse(all.length === 1 ? all[0]! : `[${all.join(", ")}]`);
    }
    metadata[field] = wish;
  }
  return metadata as NonNullable<KubeObject["metadata"]>;
}
