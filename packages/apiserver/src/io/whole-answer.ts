/**
 * One request over TLS on a connection of its own, and its answer, read to the end.
 *
 * Units   timeoutMs is the time for all of it
 * Errors  "context deadline exceeded", as Go says it; else what the connection says
 */
import type { IncomingHttpHeaders } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";

export interface WholeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface WholeAnswerLimits {
  readonly timeoutMs: number;
  readonly maxBytes?: number;
}

export async function wholeAnswer(
  options: RequestOptions,
  { timeoutMs, maxBytes = Number.POSITIVE_INFINITY }: WholeAnswerLimits,
  body?: string,
): Promise<WholeAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await exchange({ ...options, agent: false, signal }, maxBytes, body);
  } catch (error) {
    throw signal.aborted ? new Error("context deadline exceeded") : error;
  }
}

function exchange(options: RequestOptions, maxBytes: number, body?: string): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > maxBytes) response.destroy(new Error("the answer is too large"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text: Buffer.concat(chunks).toString() });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
