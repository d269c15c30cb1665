/**
 * A log over a WebSocket: messages of bytes, after an empty one that says the log is open.
 *
 * Shapes  binary.k8s.io, or no protocol: binary messages; base64.binary.k8s.io: text in base64
 * Source  k8s.io/streaming/pkg/httpstream/wsstream/stream.go (Reader)
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { ApiResponse } from "../core/rest/context.ts";

const inText = "base64.binary.k8s.io";
const protocols = ["binary.k8s.io", inText];

const server = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  handleProtocols: (offered) => [...offered].find((one) => protocols.includes(one)) ?? false,
});

export interface Upgrade {
  raw: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  /** The connection is no longer HTTP. */
  onSwitched?: () => void;
}

export function sendOverSocket({ body }: ApiResponse, upgrade: Upgrade): void {
  const { raw, socket, head, onSwitched } = upgrade;
  server.handleUpgrade(raw, socket, head, (client) => {
    onSwitched?.();
    const send = (chunk: Uint8Array): void => {
      client.send(client.protocol === inText ? Buffer.from(chunk).toString("base64") : chunk);
    };
    client.on("error", () => client.terminate());
    send(new Uint8Array());
    if (typeof body !== "function") {
      if (body.length > 0) send(body);
      client.close();
      return;
    }
    body({
      write: send,
      get pendingBytes() {
        return client.bufferedAmount;
      },
      end: () => client.close(),
      destroy: () => client.terminate(),
    });
  });
}
