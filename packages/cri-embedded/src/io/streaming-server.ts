/**
 * The server under the URLs of Exec, Attach and PortForward: SPDY/3.1, as containerd's.
 *
 * Streams  exec, attach   one each for error, stdin, stdout, stderr, resize; the end is a Status on
 *                         the error stream
 *          port-forward   pairs of error and data with the same requestID
 * Source   k8s.io/cri-streaming/pkg/streaming
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Random } from "@nanokube/machinery";
import { acceptSpdy, offeredProtocols, type SpdyStream, wantsSpdy } from "@nanokube/rpc/streaming";
import type { ExecHandle } from "./container-task.ts";

export interface CommandRequest {
  kind: "command";
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  open(): ExecHandle;
}

export interface PortForwardRequest {
  kind: "ports";
  host: string;
}

const TOKEN_MS = 60_000;
const COMMAND_PROTOCOL = "v4.channel.k8s.io";
const PORT_PROTOCOL = "portforward.k8s.io";

type Request = CommandRequest | PortForwardRequest;

/** What the error stream says of an exit code. */
export function statusOf(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: error executing command, exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

function serveCommand(request: CommandRequest, socket: Duplex, head: Buffer): void {
  const streams = new Map<string, SpdyStream>();
  const wanted = ["error"];
  for (const name of ["stdin", "stdout", "stderr"] as const) if (request[name]) wanted.push(name);
  let started = false;
  const session = acceptSpdy(socket, head, COMMAND_PROTOCOL, (stream) => {
    streams.set(stream.headers.streamtype ?? "", stream);
    if (!started && wanted.every((name) => streams.has(name))) {
      started = true;
      void start();
    }
  });
  const copy = async (from: AsyncIterable<Buffer> | undefined, to: SpdyStream | undefined) => {
    for await (const chunk of from ?? []) {
      if (to?.writable === true && !to.write(chunk)) {
        await new Promise((resolve) => to.once("drain", resolve));
      }
    }
    to?.end();
  };
  const start = async () => {
    const handle = request.open();
    const stdin = streams.get("stdin");
    if (handle.stdin !== undefined) stdin?.pipe(handle.stdin);
    else stdin?.resume();
    streams.get("resize")?.resume();
    void session.closed.then(() => handle.kill());
    const output = Promise.allSettled([
      copy(handle.stdout, streams.get("stdout")),
      copy(handle.stderr, streams.get("stderr") ?? streams.get("stdout")),
    ]);
    const exitCode = await handle.ended;
    await output;
    streams.get("error")?.end(JSON.stringify(statusOf(exitCode)));
    streams.get("error")?.once("finish", () => session.close());
  };
}

function servePorts(request: PortForwardRequest, socket: Duplex, head: Buffer): void {
  const pairs = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  const join = (error: SpdyStream, data: SpdyStream) => {
    const port = Number(data.headers.port);
    const target = connect({ host: request.host, port });
    target.on("error", (problem) => {
      const text = `failed to execute portforward in network namespace: failed to connect to ${request.host}:${port}: ${problem.message}`;
      error.end(text);
      data.end();
    });
    target.on("connect", () => {
      data.pipe(target);
      target.pipe(data);
      target.on("close", () => error.end());
    });
    data.on("close", () => target.destroy());
    error.resume();
  };
  acceptSpdy(socket, head, PORT_PROTOCOL, (stream) => {
    const id = stream.headers.requestid ?? stream.headers.port ?? "";
    const pair = pairs.get(id) ?? {};
    pairs.set(id, pair);
    if (stream.headers.streamtype === "error") pair.error = stream;
    else pair.data = stream;
    if (pair.error === undefined || pair.data === undefined) return;
    pairs.delete(id);
    join(pair.error, pair.data);
  });
}

export class StreamingServer {
  readonly #random: Random;
  readonly #waiting = new Map<string, Request>();
  readonly #sockets = new Set<Duplex>();
  #server: Server | undefined;
  #listening: Promise<number> | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  #listen(): Promise<number> {
    this.#listening ??= new Promise((resolve, reject) => {
      const server = createServer((_request, response) => {
        response.statusCode = 404;
        response.end();
      });
      server.on("upgrade", (message, socket, head) => this.#upgrade(message, socket, head));
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
      server.unref();
      this.#server = server;
    });
    return this.#listening;
  }

  /** A URL good for one use within a minute. */
  async url(path: string, request: Request): Promise<string> {
    const port = await this.#listen();
    const token = this.#random.uuid();
    this.#waiting.set(token, request);
    setTimeout(() => this.#waiting.delete(token), TOKEN_MS).unref();
    return `http://127.0.0.1:${port}/${path}/${token}`;
  }

  #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const token = (message.url ?? "").split("/").at(-1)!.split("?")[0]!;
    const request = this.#waiting.get(token);
    this.#waiting.delete(token);
    const refuse = (status: string) =>
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    if (request === undefined) {
      refuse("404 Not Found");
      return;
    }
    const protocol = request.kind === "command" ? COMMAND_PROTOCOL : PORT_PROTOCOL;
    const offered = offeredProtocols(message.headers);
    if (!wantsSpdy(message) || (offered.length > 0 && !offered.includes(protocol))) {
      refuse("403 Forbidden");
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (request.kind === "command") serveCommand(request, socket, head);
    else servePorts(request, socket, head);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
