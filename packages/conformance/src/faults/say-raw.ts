/** Bytes as they are over TLS, to somebody who may not like them. */
import { connect } from "node:tls";
import type { ApiServerInstance } from "../subjects/apiserver.ts";

export interface RawTalk {
  protocol: "http/1.1" | "h2";
  /** Who has said nothing for so long says nothing more. */
  silenceMs: number;
  /** What is sent next, once this much has been heard. */
  then?: (heard: Buffer) => Buffer | undefined;
}

/** Everything that came back until the other side hung up, or said nothing more. */
export async function sayToServer(
  server: ApiServerInstance,
  bytes: Buffer,
  { protocol, silenceMs, then }: RawTalk,
): Promise<Buffer> {
  const { hostname, port } = new URL(server.url);
  const credentials = await server.credentials();
  const ALPNProtocols = [protocol];
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), ...credentials, ALPNProtocols });
    const heard: Buffer[] = [];
    let follow = then;
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      heard.push(chunk);
      const more = follow?.(Buffer.concat(heard));
      if (more === undefined) return;
      follow = undefined;
      socket.write(more);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(heard)));
    socket.write(bytes);
  });
}
