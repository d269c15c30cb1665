/** What `up` and `demo` take from the command line alike; what was not given is absent. */
import type { UpOptions } from "../io/wanted-state.ts";

export interface ClusterFlags {
  nodes?: number;
  runtime?: "containerd" | "embedded";
  apiPort?: number;
  etcdMembers?: number;
  nodeMonitorGracePeriod?: number;
  kubeletConfig?: string;
}

type Given = Pick<
  UpOptions,
  "nodes" | "runtime" | "apiPort" | "etcdMembers" | "nodeMonitorGracePeriodMs" | "kubeletConfig"
>;

export function givenFlags(flags: ClusterFlags): Given {
  const { nodes, runtime, apiPort, etcdMembers, kubeletConfig } = flags;
  const { nodeMonitorGracePeriod: nodeMonitorGracePeriodMs } = flags;
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(apiPort === undefined ? {} : { apiPort }),
    ...(etcdMembers === undefined ? {} : { etcdMembers }),
    ...(nodeMonitorGracePeriodMs === undefined ? {} : { nodeMonitorGracePeriodMs }),
    ...(kubeletConfig === undefined ? {} : { kubeletConfig }),
  };
}
