/** One request over TLS and its answer, whole, as it came. */
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { RestAnswer } from "./apiserver.ts";

export function httpsExchange(
  options: RequestOptions,
  payload?: string | Uint8Array,
): Promise<RestAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(options);
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text: bytes.toString(), bytes });
      });
    });
    sent.end(payload);
  });
}
