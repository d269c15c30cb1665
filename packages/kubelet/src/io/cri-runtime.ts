/**
 * The container runtime, as the kubelet speaks to it: CRI messages in, the kubelet's own words out.
 *
 * Units   CRI's times are nanoseconds since the epoch, ours milliseconds
 * Errors  RpcError as the runtime sent it; NOT_FOUND is undefined where a thing may be gone
 * Source  pkg/kubelet/kuberuntime/kuberuntime_container.go, kuberuntime_sandbox.go
 */
import { type Channel, type Client, codes, createClient, cri, RpcError } from "@nanokube/rpc";
import { CONTAINER_NAME, factsFromAnnotations, POD_UID } from "../core/runtime-labels.ts";
import type { ContainerState, RuntimeContainer, RuntimeSandbox } from "../core/runtime-status.ts";
import { readTerminationMessage } from "./termination-message.ts";

const STATES: readonly ContainerState[] = ["created", "running", "exited", "unknown"];
const nanosToMs = (nanos: number | bigint): number => Math.floor(Number(nanos) / 1e6);

export const isNotFound = (error: unknown): boolean =>
  error instanceof RpcError && error.code === codes.NOT_FOUND;

/** The text upstream shows: gRPC's `rpc error: …` form. */
export function describeRpcError(error: unknown): string {
  if (!(error instanceof RpcError)) return error instanceof Error ? error.message : String(error);
  const name = Object.entries(codes).find(([, code]) => code === error.code)?.[0] ?? "Unknown";
  return `rpc error: code = ${pascalCase(name)} desc = ${error.details}`;
}

const pascalCase = (name: string): string =>
  name === "OK"
    ? name
    : name
        .toLowerCase()
        .split("_")
        .map((word) => word[0]!.toUpperCase() + word.slice(1))
        .join("")
        .replace("Cancelled", "Canceled");

/** Only the description, as upstream puts it into a container's message. */
export const rpcDetails = (error: unknown): string => {
  if (error instanceof RpcError) return error.details;
  return error instanceof Error ? error.message : String(error);
};

export type RuntimeClient = Client<typeof cri.RuntimeService>;
export type ImageClient = Client<typeof cri.ImageService>;

export const createRuntimeClient = (channel: Channel): RuntimeClient =>
  createClient(channel, cri.RuntimeService);
export const createImageClient = (channel: Channel): ImageClient =>
  createClient(channel, cri.ImageService);

export function toSandbox(status: cri.PodSandboxStatus): RuntimeSandbox {
  const network = status.network;
  const ips = [network?.ip ?? "", ...(network?.additionalIps ?? []).map((entry) => entry.ip)];
  const mode = status.linux?.namespaces?.options?.network ?? cri.NamespaceMode.POD;
  return {
    id: status.id,
    attempt: status.metadata?.attempt ?? 0,
    ready: status.state === cri.PodSandboxState.SANDBOX_READY,
    createdAtMs: nanosToMs(status.createdAt),
    ips: ips.filter((ip) => ip !== ""),
    hostNetwork: mode === cri.NamespaceMode.NODE,
  };
}

export async function toContainer(
  status: cri.ContainerStatus,
  sandboxID: string,
): Promise<RuntimeContainer> {
  const facts = factsFromAnnotations(status.annotations);
  const state = STATES[status.state] ?? "unknown";
  const exited = state === "exited";
  const message = exited ? await readTerminationMessage(status, facts) : "";
  const linux = status.user?.linux;
  return {
    id: status.id,
    name: status.labels[CONTAINER_NAME] ?? status.metadata?.name ?? "",
    sandboxID,
    state,
    image: status.image?.userSpecifiedImage || (status.image?.image ?? ""),
    imageRef: status.imageRef,
    hash: facts.hash,
    restartCount: facts.restartCount,
    createdAtMs: nanosToMs(status.createdAt),
    startedAtMs: nanosToMs(status.startedAt),
    finishedAtMs: exited ? nanosToMs(status.finishedAt) : 0,
    exitCode: status.exitCode,
    reason: exited ? status.reason : "",
    message: exited ? [status.message, message].filter((part) => part !== "").join(": ") : "",
    logPath: status.logPath,
    ...(facts.gracePeriodSeconds === undefined
      ? {}
      : { gracePeriodSeconds: facts.gracePeriodSeconds }),
    ...(facts.preStop === undefined ? {} : { preStop: facts.preStop }),
    ...(linux === undefined
      ? {}
      : {
          user: {
            uid: linux.uid,
            gid: linux.gid,
            supplementalGroups: [...linux.supplementalGroups],
          },
        }),
  };
}

export const podUIDOf = (labels: Readonly<Record<string, string>>): string => labels[POD_UID] ?? "";
