/**
 * port-forward over a WebSocket's channels, as clients ask for it that know no SPDY: Python's,
 * fabric8's.
 *
 * Channels  2i the bytes of the i-th port asked for, 2i+1 what went wrong with it; the first
 *           message on each is the port, 16 bits, the low byte first
 * Source    k8s.io/cri-streaming pkg/streaming/portforward/websocket.go
 */
import { dialSpdy, type SpdyStream } from "@nanokube/rpc/streaming";
import type { WebSocket } from "ws";
import { copyOut } from "./remote-command.ts";

const protocols = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"];
const runtimeProtocol = "portforward.k8s.io";

/** The empty one for who offers none; undefined when none of the offered is known. */
export function chooseChannels(offered: readonly string[]): string | undefined {
  return offered.length === 0 ? "" : protocols.find((name) => offered.includes(name));
}

/** @throws Error with upstream's text */
export function portsOf(query: URLSearchParams): number[] {
  const asked = [...query.getAll("port"), ...query.getAll("ports")];
  if (asked.length === 0) throw new Error('query parameter "port" is required');
  return asked
    .flatMap((text) => text.split(","))
    .map((text) => {
      if (text === "") throw new Error('query parameter "port" cannot be empty');
      const port = Number(text);
      if (!/^\d+$/.test(text) || port > 65_535) {
        throw new Error(`unable to parse "${text}" as a port`);
      }
      if (port < 1) throw new Error(`port "${text}" must be > 0`);
      return port;
    });
}

interface Channels {
  send(channel: number, data: Uint8Array): void;
  read(message: Buffer): { channel: number; data: Buffer };
}

function channelsOf(socket: WebSocket, protocol: string): Channels {
  if (!protocol.includes("base64")) {
    return {
      send: (channel, data) => socket.send(Buffer.concat([Buffer.from([channel]), data])),
      read: (message) => ({ channel: message[0] ?? -1, data: message.subarray(1) }),
    };
  }
  return {
    send: (channel, data) => socket.send(`${channel}${Buffer.from(data).toString("base64")}`),
    read: (message) => {
      const text = message.toString();
      return { channel: Number(text[0]), data: Buffer.from(text.slice(1), "base64") };
    },
  };
}

export interface PortChannels {
  socket: WebSocket;
  protocol: string;
  ports: readonly number[];
  /** The runtime's streaming server. */
  url: string;
}

/** Carries every port until each of them, or the client, is done. */
export async function forwardPorts({ socket, protocol, ports, url }: PortChannels): Promise<void> {
  const { session } = await dialSpdy(url, [runtimeProtocol]);
  const channels = channelsOf(socket, protocol);
  const streams: SpdyStream[] = [];
  const ends: Promise<unknown>[] = [];
  for (const [i, port] of ports.entries()) {
    const headers = { port: String(port), requestID: String(i) };
    const failed = await session.openStream({ streamType: "error", ...headers }, true);
    const data = await session.openStream({ streamType: "data", ...headers });
    streams.push(data);
    const number = Buffer.from([port & 255, port >> 8]);
    channels.send(2 * i, number);
    channels.send(2 * i + 1, number);
    const errors: Buffer[] = [];
    ends.push(
      copyOut(data, socket, (chunk) => channels.send(2 * i, chunk)),
      copyOut(failed, socket, (chunk) => errors.push(chunk)).then(() => {
        if (errors.length > 0) channels.send(2 * i + 1, Buffer.concat(errors));
      }),
    );
  }
  socket.on("message", (message: Buffer) => {
    const { channel, data } = channels.read(message);
    const stream = channel % 2 === 0 ? streams[channel / 2] : undefined;
    if (stream?.writable !== true || data.length === 0 || stream.write(data)) return;
    socket.pause();
    stream.once("drain", () => socket.resume());
  });
  socket.on("close", () => session.close());
  socket.resume();
  await Promise.allSettled(ends);
  session.close();
  socket.close(1000);
}
