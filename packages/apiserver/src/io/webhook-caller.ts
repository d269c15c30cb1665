/**
 * Sends an AdmissionReview to its webhook: a Service inside the cluster or a URL outside.
 *
 * Units   the answer may be 3 MiB at most
 * Errors  `failed calling webhook …`'s reason: Post "https://…": why
 * Source  apiserver pkg/util/webhook/client.go, pkg/admission/plugin/webhook
 */
import { request as httpsRequest } from "node:https";
import type { AdmissionReader } from "../core/admission/plugin.ts";
import type { WebhookCall, WebhookCaller } from "../core/admission/webhooks/caller.ts";

const answerMaxBytes = 3 * 1024 * 1024;

interface Target {
  host: string;
  port: number;
  path: string;
  serverName: string;
  url: string;
}

export function createWebhookCaller(reader: AdmissionReader): WebhookCaller {
  return async (call) => {
    const target = await targetOf(call, reader);
    try {
      return await post(call, target);
    } catch (error) {
      throw new Error(`Post ${JSON.stringify(target.url)}: ${reasonOf(error)}`);
    }
  };
}

async function targetOf(
  { client, timeoutSeconds }: WebhookCall,
  reader: AdmissionReader,
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
  const service = await reader.get("", "services", namespace, name);
  const spec = (service?.spec ?? {}) as { clusterIP?: string };
  if (service === undefined)
    throw new Error(`Post ${JSON.stringify(url)}: service ${JSON.stringify(name)} not found`);
  return { host: spec.clusterIP ?? "", port, path: `${path}?${query}`, serverName, url };
}

function post({ client, review, timeoutSeconds }: WebhookCall, target: Target): Promise<unknown> {
  const body = JSON.stringify(review);
  const ca = client.caBundle ? Buffer.from(client.caBundle, "base64") : undefined;
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({
      method: "POST",
      host: target.host,
      port: target.port,
      path: target.path,
      servername: target.serverName,
      ...(ca === undefined ? {} : { ca }),
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
      agent: false,
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > answerMaxBytes) response.destroy(new Error("the answer is too large"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200) {
          reject(new Error(`the server answered ${response.statusCode}: ${text.slice(0, 200)}`));
          return;
        }
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    sent.end(body);
  });
}

function reasonOf(error: unknown): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name === "AbortError" || name === "TimeoutError") return "context deadline exceeded";
  if (code === "ECONNREFUSED")
    return `dial tcp: ${message.replace(/^connect ECONNREFUSED /, "")}: connect: connection refused`;
  return message;
}
