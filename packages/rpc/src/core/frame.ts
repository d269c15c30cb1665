/**
 * gRPC frames out of a byte stream: flag (0 plain, 1 compressed), length in 4 bytes, message.
 *
 * Frames may be cut anywhere by the transport. A length above the limit is refused as soon as its
 * 5 bytes are there, before any memory is taken for it.
 * Errors  RpcError RESOURCE_EXHAUSTED, INTERNAL in grpc-go's words
 * Source  gRPC over HTTP2, "Length-Prefixed-Message"; google.golang.org/grpc rpc_util.go recvMsg
 */
import { codes, RpcError } from "./status.ts";

export interface Frame {
  readonly compressed: boolean;
  readonly payload: Buffer;
}

const headerBytes = 5;

export class FrameParser {
  readonly #sizeMax: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #wanted = headerBytes;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** True between frames: an end of stream here is clean. */
  get isEmpty(): boolean {
    return this.#pendingBytes === 0;
  }

  /** The end came in the middle of a message, not of what stands before one. */
  get isInMessage(): boolean {
    return this.#pendingBytes >= headerBytes;
  }

  push(chunk: Buffer): Frame[] {
    let data = chunk;
    if (this.#pendingBytes > 0) {
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
      // Joining waits until the whole frame is there: a big message is copied once.
      if (this.#pendingBytes < this.#wanted) return [];
      data = Buffer.concat(this.#pending, this.#pendingBytes);
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    return this.#split(data);
  }

  #split(data: Buffer): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    this.#wanted = headerBytes;
    while (data.length - at >= headerBytes) {
      const flag = data[at]!;
      const size = data.readUInt32BE(at + 1);
      if (flag > 1) {
        throw new RpcError(codes.INTERNAL, `grpc: received unexpected payload format ${flag}`);
      }
      if (size > this.#sizeMax) {
        const text = `grpc: received message larger than max (${size} vs. ${this.#sizeMax})`;
        throw new RpcError(codes.RESOURCE_EXHAUSTED, text);
      }
      this.#wanted = headerBytes + size;
      if (data.length - at < this.#wanted) break;
      const payload = data.subarray(at + headerBytes, at + this.#wanted);
      frames.push({ compressed: flag === 1, payload });
      at += this.#wanted;
      this.#wanted = headerBytes;
    }
    if (at < data.length) {
      this.#pending = [at === 0 ? data : data.subarray(at)];
      this.#pendingBytes = data.length - at;
    }
    return frames;
  }
}
