/**
 * /exec, /attach and /portForward: asks the runtime for a URL and joins the client to it.
 *
 *   SPDY client       its bytes go to the runtime as they are
 *   WebSocket client  exec, attach: translated (remote-command.ts); port-forward: SPDY's bytes in
 *                     WebSocket messages, unwrapped
 * Source  pkg/kubelet/server/server.go proxyStream, client-go tools/portforward/tunneling_dialer.go
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  offeredProtocols,
  type RawUpgrade,
  upgradeToSpdy,
  wantsSpdy,
} from "@nanokube/rpc/streaming";
import type { WebSocket } from "ws";
import { chooseChannels, forwardPorts, portsOf } from "./port-channels.ts";
import {
  acceptWebSocket,
  bridgeCommand,
  chooseProtocol,
  offeredWebSocketProtocols,
  type StreamWishes,
} from "./remote-command.ts";

export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

const TUNNEL = "SPDY/3.1+portforward.k8s.io";
const PORT_FORWARD = "portforward.k8s.io";

export function refuseUpgrade(socket: Duplex, status: number, text: string): void {
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${status === 403 ? "Forbidden" : "Bad Request"}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const isWebSocket = (request: IncomingMessage): boolean =>
  (request.headers.upgrade ?? "").toLowerCase() === "websocket";

function join(a: Duplex, b: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => {
    a.destroy();
    b.destroy();
    resolve();
  };
  for (const side of [a, b]) {
    side.on("error", end);
    side.on("close", end);
  }
  a.pipe(b);
  b.pipe(a);
  return promise;
}

/** The client speaks SPDY: say yes as the runtime did, then stand aside. */
async function passThrough(upgrade: Upgrade, runtime: RawUpgrade): Promise<void> {
  const { socket, head } = upgrade;
  const lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: SPDY/3.1"];
  if (runtime.protocol !== "") lines.push(`X-Stream-Protocol-Version: ${runtime.protocol}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) runtime.socket.write(head);
  if (runtime.head.length > 0) socket.write(runtime.head);
  await join(socket, runtime.socket);
}

export function parseWishes(query: URLSearchParams): StreamWishes {
  const flag = (...names: string[]) =>
    names.some((name) => query.get(name) === "1" || query.get(name) === "true");
  const tty = flag("tty");
  return {
    stdin: flag("input", "stdin"),
    stdout: flag("output", "stdout"),
    stderr: flag("error", "stderr") && !tty,
    tty,
  };
}

/** exec or attach: `open` asks the runtime for the URL, after the protocol is settled. */
export async function serveCommand(
  upgrade: Upgrade,
  wishes: StreamWishes,
  open: () => Promise<string>,
): Promise<void> {
  const { request, socket, head } = upgrade;
  if (!wishes.stdin && !wishes.stdout && !wishes.stderr) {
    refuseUpgrade(socket, 400, "you must specify at least 1 of stdin, stdout, stderr");
    return;
  }
  if (wantsSpdy(request)) {
    await passThrough(
      upgrade,
      await upgradeToSpdy(await open(), offeredProtocols(request.headers)),
    );
    return;
  }
  const protocol = isWebSocket(request)
    ? chooseProtocol(offeredWebSocketProtocols(request))
    : undefined;
  if (protocol === undefined) {
    refuseUpgrade(socket, 400, "unable to upgrade: unsupported protocol");
    return;
  }
  const url = await open();
  const accepted = await acceptWebSocket(request, socket, head, protocol);
  try {
    await bridgeCommand(accepted, protocol, url, wishes);
  } catch (error) {
    accepted.resume();
    accepted.close(1011);
    throw error;
  }
}

/** SPDY's bytes ride in binary messages. */
function unwrapTunnel(socket: WebSocket, runtime: RawUpgrade): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => {
    runtime.socket.destroy();
    socket.close(1000);
    resolve();
  };
  if (runtime.head.length > 0) socket.send(runtime.head);
  runtime.socket.on("data", (chunk: Buffer) => {
    runtime.socket.pause();
    socket.send(chunk, () => runtime.socket.resume());
  });
  runtime.socket.on("error", end);
  runtime.socket.on("close", end);
  socket.on("message", (message: Buffer) => {
    if (runtime.socket.write(message)) return;
    socket.pause();
    runtime.socket.once("drain", () => socket.resume());
  });
  socket.on("close", end);
  socket.resume();
  return promise;
}

async function forwardChannels(upgrade: Upgrade, open: () => Promise<string>): Promise<void> {
  const { request, socket, head } = upgrade;
  const protocol = chooseChannels(offeredWebSocketProtocols(request));
  if (protocol === undefined) {
    refuseUpgrade(socket, 400, "unable to upgrade: unsupported protocol");
    return;
  }
  let ports: number[];
  try {
    ports = portsOf(new URL(request.url!, "http://kubelet").searchParams);
  } catch (error) {
    refuseUpgrade(socket, 400, (error as Error).message);
    return;
  }
  const url = await open();
  const accepted = await acceptWebSocket(request, socket, head, protocol);
  try {
    await forwardPorts({ socket: accepted, protocol, ports, url });
  } catch (error) {
    accepted.resume();
    accepted.close(1011);
    throw error;
  }
}

export async function servePortForward(
  upgrade: Upgrade,
  open: () => Promise<string>,
): Promise<void> {
  const { request, socket, head } = upgrade;
  if (wantsSpdy(request)) {
    await passThrough(
      upgrade,
      await upgradeToSpdy(await open(), offeredProtocols(request.headers)),
    );
    return;
  }
  const offered = offeredWebSocketProtocols(request);
  if (isWebSocket(request) && !offered.includes(TUNNEL)) return forwardChannels(upgrade, open);
  if (!isWebSocket(request)) {
    refuseUpgrade(socket, 400, "unable to upgrade: unsupported protocol");
    return;
  }
  const runtime = await upgradeToSpdy(await open(), [PORT_FORWARD]);
  const accepted = await acceptWebSocket(request, socket, head, TUNNEL);
  await unwrapTunnel(accepted, runtime);
}
