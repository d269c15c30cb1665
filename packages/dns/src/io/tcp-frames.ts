/**
 * DNS over TCP: each message behind its length in two bytes, any number of them one after another.
 *
 * Source  RFC 1035 section 4.2.2, RFC 7766
 */
import type { Socket } from "node:net";

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(message.length + 2);
  framed.writeUInt16BE(message.length);
  framed.set(message, 2);
  return framed;
}

export function readFrames(socket: Socket, onMessage: (message: Uint8Array) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0);
      if (pending.length < length + 2) return;
      onMessage(pending.subarray(2, length + 2));
      pending = pending.subarray(length + 2);
    }
  });
}
