/**
 * Reviews (TokenReview, SubjectAccessReview) posted to the server that a kubeconfig names.
 *
 * Errors  an Error that says what the other side answered, or that it did not
 * Source  apiserver pkg/util/webhook/webhook.go
 */
import { createHttpTransport, loadKubeconfig } from "@nanokube/client";
import type { KubeObject } from "@nanokube/machinery";

const answerMaxBytes = 1024 * 1024;

export function createReviewWebhook(
  kubeconfig: string,
  timeoutMs: number,
): (review: KubeObject) => Promise<KubeObject> {
  const config = loadKubeconfig(kubeconfig);
  const { origin, pathname, search } = new URL(config.server);
  const transport = createHttpTransport({ ...config, server: origin });
  return async (review) => {
    const { status, body } = await transport({
      method: "POST",
      path: `${pathname}${search}`,
      headers: { "content-type": "application/json", accept: "application/json" },
      body: new TextEncoder().encode(JSON.stringify(review)),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > answerMaxBytes) throw new Error("the answer of the webhook is too large");
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    if (status < 200 || status >= 300) throw new Error(`the webhook answered ${status}: ${text}`);
    return JSON.parse(text) as KubeObject;
  };
}
