/**
 * Sends an AdmissionReview to its webhook: a Service inside the cluster or a URL outside.
 *
 * Units   the answer may be 3 MiB at most
 * Errors  `failed calling webhook …`'s reason: Post "https://…": why
 * Source  apiserver pkg/util/webhook/client.go, pkg/admission/plugin/webhook
 */
import type { WebhookCall, WebhookCaller } from "../core/admission/webhooks/caller.ts";
import {
  resolveService,
  type ServiceShape,
  type SliceShape,
} from "../core/aggregation/remote-service.ts";
import type { ObjectReader } from "../core/object-reader.ts";
import { type WholeAnswer, wholeAnswer } from "./whole-answer.ts";

const answerMaxBytes = 3 * 1024 * 1024;

interface Target {
  host: string;
  port: number;
  path: string;
  serverName: string;
  url: string;
}

/** `toEndpoints`: as for aggregation, behind the Service instead of at its address. */
export function createWebhookCaller(reader: ObjectReader, toEndpoints: boolean): WebhookCaller {
  return async (call) => {
    const target = await targetOf(call, reader, toEndpoints);
    let answer: WholeAnswer;
    try {
      answer = await post(call, target);
    } catch (error) {
      throw new Error(`Post ${JSON.stringify(target.url)}: ${reasonOf(error)}`);
    }
    return reviewIn(answer, call.review);
  };
}

async function targetOf(
  { client, timeoutSeconds }: WebhookCall,
  reader: ObjectReader,
  toEndpoints: boolean,
): Promise<Target> {
  const query = `timeout=${timeoutSeconds}s`;
  if (client.url) {
    const url = new URL(client.url);
    url.searchParams.set("timeout", `${timeoutSeconds}s`);
    return {
      host: url.hostname,
      port: Number(url.port || 443),
      path: `${url.pathname}${url.search}`,
      serverName: url.hostname,
      url: url.href,
    };
  }
  const { name = "", namespace = "", path = "/", port = 443 } = client.service ?? {};
  const serverName = `${name}.${namespace}.svc`;
  const url = `https://${serverName}:${port}${path}?${query}`;
  const service = (await reader.get("", "services", namespace, name)) as ServiceShape | undefined;
  const all = await reader.list("discovery.k8s.io", "endpointslices", namespace);
  const own = all.filter(
    ({ metadata }) => metadata?.labels?.["kubernetes.io/service-name"] === name,
  );
  const found = resolveService({ service: name, port }, service, own as SliceShape[], toEndpoints);
  if ("problem" in found) throw new Error(`Post ${JSON.stringify(url)}: ${found.problem}`);
  return { ...found, path: `${path}?${query}`, serverName, url };
}

function post({ client, review, timeoutSeconds }: WebhookCall, target: Target) {
  const body = JSON.stringify(review);
  const options = {
    method: "POST",
    host: target.host,
    port: target.port,
    path: target.path,
    servername: target.serverName,
    ...(client.caBundle ? { ca: Buffer.from(client.caBundle, "base64") } : {}),
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
  };
  const limits = { timeoutMs: timeoutSeconds * 1000, maxBytes: answerMaxBytes };
  return wholeAnswer(options, limits, body);
}

/** What client-go makes of a status that is not success. */
function refusal({ status, headers, text }: WholeAnswer): string {
  const isText = headers["content-type"]?.startsWith("text/") ?? false;
  const known: Record<number, string> = {
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    415: "the server was unable to respond with a content type that the client supports",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
  };
  if (status in known && !(status === 503 && isText)) return known[status]!;
  const said = isText ? text.trim().slice(0, 2048) : "unknown";
  if (status >= 500) {
    return `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
  }
  return `the server rejected our request for an unknown reason`;
}

const typeMeta =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; ' +
  'Kind string "json:\\"kind,omitempty\\"" }';

function reviewIn(answer: WholeAnswer, asked: { kind?: string; apiVersion?: string }): unknown {
  if (answer.status < 200 || answer.status >= 300) {
    throw Object.assign(new Error(refusal(answer)), { status: answer.status });
  }
  let review: { kind?: string; apiVersion?: string };
  try {
    review = JSON.parse(answer.text) as typeof review;
  } catch {
    const why = `json: cannot unmarshal string into Go value of type ${typeMeta}`;
    throw new Error(`couldn't get version/kind; json parse error: ${why}`);
  }
  const { kind = "", apiVersion = "" } = review ?? {};
  if (kind === "" || apiVersion === "") return review;
  const [group, version = ""] = apiVersion.split("/");
  const isReview = asked.apiVersion?.startsWith(`${group}/`) && /^v1(beta1)?$/.test(version);
  if (isReview && kind === asked.kind) return review;
  const scheme = 'in scheme "pkg/runtime/scheme.go:111"';
  throw new Error(`no kind "${kind}" is registered for version "${apiVersion}" ${scheme}`);
}

const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function reasonOf(error: unknown): string {
  const { message, code, hostname } = error as NodeJS.ErrnoException & { hostname?: string };
  if (code === "ECONNREFUSED")
    return `dial tcp ${message.replace(/^connect ECONNREFUSED /, "")}: connect: connection refused`;
  if (untrusted.has(code ?? "")) {
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  }
  if (code === "ENOTFOUND") return `dial tcp: lookup ${hostname}: no such host`;
  return message;
}
