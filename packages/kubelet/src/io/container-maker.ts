/**
 * Collects all that a container's or sandbox's configuration is made of, and makes it.
 *
 * Source  pkg/kubelet/kubelet_pods.go GenerateRunContainerOptions
 */
import type { ConfigMap, Container, Pod, Secret, Service } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import { type Client, runtimeClasses } from "@nanokube/client";
import type { Random } from "@nanokube/machinery";
import { type ContainerConfig, containerConfig } from "../core/container-config.ts";
import { type DNSSettings, podDNS } from "../core/dns-config.ts";
import type { DownwardContext } from "../core/downward-api.ts";
import { environmentReferences, makeEnvironment } from "../core/environment.ts";
import { podNamespace, podReference } from "../core/pod.ts";
import { type SandboxConfig, sandboxConfig } from "../core/sandbox-config.ts";
import { verifyRunAsNonRoot } from "../core/security-context.ts";
import { serviceEnvironment } from "../core/service-env.ts";
import type { Cgroups } from "./cgroups.ts";
import { containerDevices, containerMounts } from "./container-mounts.ts";
import type { FoundImage } from "./image-manager.ts";
import type { Mounter } from "./mounts.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { MountedVolume } from "./volumes/volume.ts";

/** What one sync of a pod knows. */
export interface PodContext {
  pod: Pod;
  volumes: ReadonlyMap<string, MountedVolume>;
  podIPs: string[];
  imageRefs: Map<string, string>;
}

export interface ContainerMakerOptions {
  client: Client;
  objects: ObjectCache;
  recorder: EventRecorder;
  random: Random;
  mounter: Mounter;
  cgroups: Cgroups;
  dns: DNSSettings;
  rootDir: string;
  podLogsDir: string;
  privileged: boolean;
  memoryCapacityBytes: number;
  oomScoreAdjMin: number;
  services(): readonly Service[];
  downward(pod: Pod, podIPs: readonly string[]): DownwardContext;
}

export interface MakeInput {
  image: FoundImage;
  restartCount: number;
  targetID: string;
}

export class ContainerMaker {
  readonly #options: ContainerMakerOptions;

  constructor(options: ContainerMakerOptions) {
    this.#options = options;
  }

  sandboxConfig(context: PodContext, attempt: number): SandboxConfig {
    const { dns, podLogsDir, cgroups, recorder } = this.#options;
    const { pod } = context;
    const { config, warnings } = podDNS(pod, dns);
    for (const { reason, message } of warnings) {
      recorder.event(podReference(pod), "Warning", reason, message);
    }
    return sandboxConfig({
      pod,
      attempt,
      dns: config,
      clusterDomain: dns.clusterDomain,
      podLogsDir,
      cgroupParent: cgroups.parent(pod),
      volumeGroups: volumeGroups(context),
    });
  }

  /** The runtime's name for the pod's RuntimeClass. */
  async runtimeHandler(pod: Pod): Promise<string> {
    const name = pod.spec?.runtimeClassName;
    if (!name) return "";
    const found = await this.#options.client.resource(runtimeClasses).get(name);
    return found.handler ?? "";
  }

  async #environment(context: PodContext, container: Container): Promise<Map<string, string>> {
    const { objects, services, downward } = this.#options;
    const { pod, podIPs } = context;
    const namespace = podNamespace(pod);
    const references = environmentReferences(container);
    const configMaps = new Map<string, ConfigMap | undefined>();
    const secrets = new Map<string, Secret | undefined>();
    for (const name of references.configMaps) {
      configMaps.set(name, await objects.configMap(namespace, name));
    }
    for (const name of references.secrets) {
      secrets.set(name, await objects.secret(namespace, name));
    }
    const links = pod.spec?.enableServiceLinks !== false;
    return makeEnvironment(pod, container, {
      configMap: (name) => configMaps.get(name),
      secret: (name) => secrets.get(name),
      services: serviceEnvironment(services(), namespace, links),
      downward: downward(pod, podIPs),
    });
  }

  async make(
    context: PodContext,
    container: Container,
    input: MakeInput,
  ): Promise<ContainerConfig> {
    const { rootDir, random, mounter, privileged, dns } = this.#options;
    const { pod, volumes, podIPs, imageRefs } = context;
    verifyRunAsNonRoot(pod, container, input.image.user);
    const environment = await this.#environment(context, container);
    const mounts = await containerMounts({
      pod,
      container,
      volumes,
      environment,
      podIPs,
      clusterDomain: dns.clusterDomain,
      rootDir,
      random,
      mounter,
      privileged,
      imageRefs,
    });
    return containerConfig({
      pod,
      container,
      restartCount: input.restartCount,
      imageRef: input.image.ref,
      imageUser: input.image.user,
      environment,
      mounts,
      devices: containerDevices(container, volumes),
      seccompRoot: `${rootDir}/seccomp`,
      volumeGroups: volumeGroups(context),
      targetID: input.targetID,
      memoryCapacityBytes: this.#options.memoryCapacityBytes,
      oomScoreAdjMin: this.#options.oomScoreAdjMin,
    });
  }
}

const volumeGroups = (context: PodContext): number[] =>
  [...context.volumes.values()].flatMap((volume) => volume.groups ?? []);
