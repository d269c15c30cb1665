/** What a kubelet is made of: everything it would else take from the machine comes in here. */
import type { Pod, Taint } from "@nanokube/api/core/v1";
import type { Client } from "@nanokube/client";
import type { Clock, Exec, Log, Random } from "@nanokube/machinery";
import type { Channel } from "@nanokube/rpc";
import type { Thresholds } from "../core/eviction.ts";
import type { ImageGCPolicy } from "../core/image-gc.ts";

export interface ServingOptions {
  /** PEM. Absent: the kubelet makes itself a certificate. */
  cert?: string | undefined;
  key?: string | undefined;
  /** PEM; clients whose certificate it signed are known by their name. */
  clientCA?: string | undefined;
  host?: string | undefined;
  /** 0 takes any; 10250 unless told. */
  port?: number | undefined;
  /** Ask the API server about tokens and about what a user may do; true unless told. */
  webhook?: boolean | undefined;
  anonymous?: boolean | undefined;
}

export interface KubeletOptions {
  client: Client;
  /** RuntimeService and ImageService. */
  cri: Channel;
  nodeName: string;
  nodeIP: string;
  hostname?: string | undefined;
  /** Where pods, plugins and their volumes live; /var/lib/kubelet. */
  rootDir: string;
  podLogsDir: string;
  clock: Clock;
  random: Random;
  log: Log;
  exec: Exec;
  serving?: ServingOptions | undefined;
  clusterDNS?: readonly string[] | undefined;
  clusterDomain?: string | undefined;
  /** The text of the node's resolv.conf; read from /etc/resolv.conf unless told. */
  resolvConf?: string | undefined;
  providerID?: string | undefined;
  maxPods?: number | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  taints?: readonly Taint[] | undefined;
  registerNode?: boolean | undefined;
  /** Make a control group for each pod under this one; absent leaves groups alone. */
  cgroups?: { root: string } | undefined;
  /** May this process mount and change owners? Decided by its uid unless told. */
  privileged?: boolean | undefined;
  /** A directory of pod manifests to run without an API server. */
  podManifestPath?: string | undefined;
  /** Kept away from pods: resource → quantity. */
  reserved?: Readonly<Record<string, string>> | undefined;
  /** Kernel settings (`net.core.*`) that pods may change beside the safe ones. */
  allowedUnsafeSysctls?: readonly string[] | undefined;
  /** Rotate logs that grow; 10Mi and 5 files unless told. */
  logRotation?: { maxSizeBytes?: number; maxFiles?: number; everyMs?: number } | undefined;
  /** Remove unused images when the disk fills; absent: images stay. */
  imageGC?: ImageGCPolicy | undefined;
  /** End pods when memory or disk run out; absent: none are, and only memory pressure is told. */
  eviction?: { hard: Thresholds; transitionMs?: number } | undefined;
  /** What /configz shows. */
  configuration?: Readonly<Record<string, unknown>> | undefined;
}

export interface Kubelet {
  /** Resolves when the signal is aborted and everything of the kubelet has stopped; pods go on. */
  start(signal: AbortSignal): Promise<void>;
  /** Where the server listens; 0 before it does. */
  readonly port: number;
  /** Pods this kubelet runs, with their newest status. */
  pods(): Pod[];
}
