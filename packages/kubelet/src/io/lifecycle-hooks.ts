/**
 * Runs postStart and preStop hooks: a command in the container, an HTTP request, or a wait.
 *
 * Source  pkg/kubelet/lifecycle/handlers.go
 */
import type { Container, LifecycleHandler, Pod } from "@nanokube/api/core/v1";
import { type Clock, sleep } from "@nanokube/machinery";
import { type RuntimeClient, rpcDetails } from "./cri-runtime.ts";
import { httpGet, httpTarget } from "./probe-http.ts";

export interface HookRunner {
  run(
    pod: Pod,
    container: Container,
    containerID: string,
    handler: LifecycleHandler,
  ): Promise<void>;
}

const HTTP_TIMEOUT_MS = 30_000;
const OUTPUT_MAX = 200;

export interface HookRunnerOptions {
  runtime: RuntimeClient;
  clock: Clock;
  podIP(pod: Pod): string;
}

export function createHookRunner({ runtime, clock, podIP }: HookRunnerOptions): HookRunner {
  const exec = async (command: readonly string[], container: Container, containerId: string) => {
    let output = "";
    let reason: string;
    try {
      const result = await runtime.execSync({ containerId, cmd: [...command], timeout: 0 });
      if (result.exitCode === 0) return;
      output = Buffer.concat([result.stdout, result.stderr]).toString().slice(0, OUTPUT_MAX);
      reason = `command '${command.join(" ")}' exited with ${result.exitCode}: ${output}`;
    } catch (error) {
      reason = rpcDetails(error);
    }
    const hook = `Exec lifecycle hook ([${command.join(" ")}]) for Container "${container.name}"`;
    throw new Error(`${hook} failed - error: ${reason}, message: "${output}"`);
  };
  return {
    async run(pod, container, containerID, handler) {
      if (handler.exec !== undefined) {
        await exec(handler.exec.command ?? [], container, containerID);
      } else if (handler.httpGet !== undefined) {
        const target = httpTarget(handler.httpGet, container, podIP(pod), "kube-lifecycle");
        await httpGet(target, HTTP_TIMEOUT_MS);
      } else if (handler.sleep !== undefined) {
        await sleep(clock, (handler.sleep.seconds ?? 0) * 1000);
      } else throw new Error(`invalid handler: ${JSON.stringify(handler)}`);
    },
  };
}
