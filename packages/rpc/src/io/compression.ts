/**
 * Compressed messages: gzip is understood, nothing is ever sent compressed.
 *
 * Errors  RpcError in grpc-go's words; the limit holds for the decompressed message too
 * Source  google.golang.org/grpc rpc_util.go checkRecvPayload, decompress
 */
import type { Frame } from "../core/frame.ts";
import { codes, RpcError } from "../core/status.ts";

export interface Decompression {
  readonly encoding: string | undefined;
  readonly sizeMax: number;
  readonly isServer: boolean;
}

export function framePayload(frame: Frame, how: Decompression): Buffer {
  if (!frame.compressed) return frame.payload;
  const { encoding, sizeMax } = how;
  if (encoding === undefined || encoding === "" || encoding === "identity") {
    throw new RpcError(codes.INTERNAL, "grpc: compressed flag set with identity or empty encoding");
  }
  if (encoding !== "gzip") throw unknownEncoding(encoding, how.isServer);
  try {
    // Loaded by the first compressed message: most processes never see one.
    const { gunzipSync } = process.getBuiltinModule("node:zlib");
    return gunzipSync(frame.payload, { maxOutputLength: Math.max(sizeMax, 1) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const text = `grpc: received message after decompression larger than max ${sizeMax}`;
      throw new RpcError(codes.RESOURCE_EXHAUSTED, text);
    }
    const text = `grpc: failed to decompress the message: ${(error as Error).message}`;
    throw new RpcError(codes.INTERNAL, text);
  }
}

export function unknownEncoding(encoding: string, isServer: boolean): RpcError {
  return new RpcError(
    isServer ? codes.UNIMPLEMENTED : codes.INTERNAL,
    `grpc: Decompressor is not installed for grpc-encoding ${JSON.stringify(encoding)}`,
  );
}
