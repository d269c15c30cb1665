/**
 * Runs one probe: a command, an HTTP GET, a TCP connection or a gRPC health check.
 *
 * Shapes  success, or failure with the text of the Unhealthy event; an error is thrown when the
 *         probe itself could not be run
 * Source  pkg/kubelet/prober/prober.go, pkg/probe
 */
import { connect } from "node:net";
import type { Container, Pod, Probe } from "@nanokube/api/core/v1";
import type { Clock } from "@nanokube/machinery";
import { codes, createClient, dial, health, RpcError } from "@nanokube/rpc";
import { expand } from "../core/expansion.ts";
import { formatPod } from "../core/pod.ts";
import { formatDuration } from "../core/time.ts";
import { describeRpcError, type RuntimeClient, rpcDetails } from "./cri-runtime.ts";
import { probeDeadline } from "./probe-deadline.ts";
import { goDialError, httpGet, httpTarget, resolvePort } from "./probe-http.ts";

export interface ProbeOutput {
  result: "success" | "failure" | "warning";
  output: string;
}

const OUTPUT_MAX = 10 * 1024;

export interface ProberOptions {
  runtime: RuntimeClient;
  clock: Clock;
}

const joinHostPort = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

async function probeHTTP(
  probe: Probe,
  container: Container,
  podIP: string,
  timeoutMs: number,
): Promise<ProbeOutput> {
  const target = httpTarget(probe.httpGet!, container, podIP, "probe");
  try {
    const { status, body } = await httpGet(target, timeoutMs);
    if (status >= 300 && status < 400) {
      const output = `Probe terminated redirects, Response body: ${body}`;
      return { result: "warning", output };
    }
    if (status >= 200 && status < 400) return { result: "success", output: body };
    return { result: "failure", output: `HTTP probe failed with statuscode: ${status}` };
  } catch (error) {
    return { result: "failure", output: (error as Error).message };
  }
}

export function probeTCP(host: string, port: number, timeoutMs: number): Promise<ProbeOutput> {
  const { promise, resolve } = Promise.withResolvers<ProbeOutput>();
  const address = joinHostPort(host, port);
  const socket = connect({ host, port });
  const cancel = probeDeadline(timeoutMs, () => {
    end({ result: "failure", output: `dial tcp ${address}: i/o timeout` });
  });
  const end = (output: ProbeOutput) => {
    cancel();
    socket.destroy();
    resolve(output);
  };
  socket.once("connect", () => end({ result: "success", output: "" }));
  socket.once("error", (error) => {
    end({ result: "failure", output: goDialError(address, error) });
  });
  return promise;
}

async function probeGRPC(
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
): Promise<ProbeOutput> {
  const address = joinHostPort(host, port);
  const within = formatDuration(timeoutMs);
  const channel = dial(`http://${address}`);
  try {
    const client = createClient(channel, health.Health);
    const { status } = await client.check({ service }, { timeoutMs });
    const states = health.HealthCheckResponse_ServingStatus;
    if (status === states.SERVING) return { result: "success", output: "service healthy" };
    const name = Object.entries(states).find(([, number]) => number === status)?.[0] ?? status;
    return { result: "failure", output: `service unhealthy (responded with "${name}")` };
  } catch (error) {
    const code = error instanceof RpcError ? error.code : undefined;
    let output = `error: health rpc probe failed: ${describeRpcError(error)}`;
    if (code === codes.UNIMPLEMENTED) {
      output = `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${rpcDetails(error)}`;
    } else if (code === codes.DEADLINE_EXCEEDED) {
      output = `timeout: health rpc did not complete within ${within}`;
    } else if (code === codes.UNAVAILABLE) {
      const what = `timeout: failed to connect service "${address}" within ${within}`;
      output = `${what}: context deadline exceeded`;
    }
    return { result: "failure", output };
  } finally {
    channel.close();
  }
}

export class Prober {
  readonly #runtime: RuntimeClient;

  constructor(options: ProberOptions) {
    this.#runtime = options.runtime;
  }

  async #probeExec(
    probe: Probe,
    container: Container,
    containerId: string,
    timeoutSeconds: number,
  ): Promise<ProbeOutput> {
    // The container's own literal variables are known to the command, as upstream has it.
    const literal = new Map((container.env ?? []).map((v) => [v.name ?? "", v.value ?? ""]));
    const cmd = (probe.exec?.command ?? []).map((word) => expand(word, (n) => literal.get(n)));
    try {
      const answer = await this.#runtime.execSync(
        { containerId, cmd, timeout: timeoutSeconds },
        { timeoutMs: timeoutSeconds * 1000 + 5000 },
      );
      const output = Buffer.concat([answer.stdout, answer.stderr]).subarray(0, OUTPUT_MAX);
      const result = answer.exitCode === 0 ? "success" : "failure";
      return { result, output: output.toString() };
    } catch (error) {
      const late = error instanceof RpcError && error.code === codes.DEADLINE_EXCEEDED;
      if (!late) throw new Error(describeRpcError(error));
      const after = formatDuration(timeoutSeconds * 1000);
      const output = `command timed out: "${cmd.join(" ")}" timed out after ${after}`;
      return { result: "failure", output };
    }
  }

  async probe(
    probe: Probe,
    pod: Pod,
    container: Container,
    containerID: string,
    podIP: string,
  ): Promise<ProbeOutput> {
    const timeoutSeconds = probe.timeoutSeconds ?? 1;
    const timeoutMs = timeoutSeconds * 1000;
    if (probe.exec !== undefined) {
      return this.#probeExec(probe, container, containerID, timeoutSeconds);
    }
    if (probe.httpGet !== undefined) return probeHTTP(probe, container, podIP, timeoutMs);
    if (probe.tcpSocket !== undefined) {
      const port = resolvePort(probe.tcpSocket.port, container);
      return probeTCP(probe.tcpSocket.host || podIP, port, timeoutMs);
    }
    if (probe.grpc !== undefined) {
      return probeGRPC(podIP, probe.grpc.port ?? 0, probe.grpc.service ?? "", timeoutMs);
    }
    throw new Error(`missing probe handler for ${formatPod(pod)}:${container.name}`);
  }
}
