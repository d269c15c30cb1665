/** A request's body, read once and at most 3 MiB of it. */
import type { Readable } from "node:stream";
import { requestEntityTooLarge } from "@nanokube/machinery";

const bytesMax = 3 * 1024 * 1024;

/** Beyond this a body is refused. */
export const bodyTooLarge = {
  bytesMax,
  error: (): Error => requestEntityTooLarge(`limit is ${bytesMax}`),
};

export function bodyReader(stream: Readable): () => Promise<Uint8Array> {
  let read: Promise<Uint8Array> | undefined;
  return () => {
    read ??= readAll(stream);
    return read;
  };
}

function readAll(stream: Readable): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytesMax) {
        reject(bodyTooLarge.error());
        stream.removeAllListeners("data");
        stream.resume();
        return;
      }
      chunks.push(chunk);
    });
    stream.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("the connection was closed before the body ended")));
  });
}
