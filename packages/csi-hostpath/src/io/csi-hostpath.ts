/**
 * The driver as one gRPC server, and the socket by which a kubelet finds it.
 *
 * Errors  thrown by create: a data directory that cannot be written, or holds what is not ours
 * Source  CSI v1.9 spec.md; k8s.io/kubelet/pkg/apis/pluginregistration/v1;
 *         kubernetes-csi/node-driver-registrar
 */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Clock,
  type Exec,
  type Log,
  type Random,
  systemClock,
  systemRandom,
} from "@nanokube/machinery";
import { createServer, csi, pluginRegistration, type RpcServer } from "@nanokube/rpc";
import { controllerService } from "./controller-service.ts";
import { createQueues, type Driver } from "./driver.ts";
import { identityService } from "./identity-service.ts";
import { createLinkMounter } from "./link-mounter.ts";
import { createMounter } from "./mounter.ts";
import { nodeService } from "./node-service.ts";
import { snapshotService } from "./snapshot-service.ts";
import { openStore } from "./store.ts";

export interface CsiHostpathOptions {
  dataDir: string;
  nodeID: string;
  driverName: string;
  exec: Exec;
  log: Log;
  clock?: Clock;
  random?: Random;
  maxVolumeSizeBytes?: number;
  /** Of all volumes together; absent: what the disk has. */
  capacityBytes?: number;
  /** 0 is no limit. */
  maxVolumesPerNode?: number;
  /** Without the rights to mount: volumes are published as symbolic links. */
  publishByLink?: boolean;
}

export interface CsiHostpath {
  readonly server: RpcServer;
  /** Serves on a unix socket, and tells a kubelet so in its plugins_registry directory. */
  listen(where: { path: string; registrationDir?: string }): Promise<void>;
  close(): Promise<void>;
}

export const version = "0.1.0";

export function createCsiHostpath(options: CsiHostpathOptions): CsiHostpath {
  const { dataDir, nodeID, driverName, exec, log } = options;
  const driver: Driver = {
    name: driverName,
    version,
    nodeID,
    dataDir,
    maxVolumesPerNode: options.maxVolumesPerNode ?? 0,
    limits: {
      maxVolumeSizeBytes: options.maxVolumeSizeBytes ?? 2 ** 40,
      capacityBytes: options.capacityBytes,
    },
    store: openStore(dataDir, exec),
    mounter: options.publishByLink ? createLinkMounter(dataDir) : createMounter(exec),
    exec,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    log,
    exclusively: createQueues(),
  };
  const server = createServer();
  server.add(csi.Identity, identityService(driver));
  server.add(csi.Controller, { ...controllerService(driver), ...snapshotService(driver) });
  server.add(csi.Node, nodeService(driver));
  let registration: RpcServer | undefined;
  return {
    server,
    async listen({ path, registrationDir }) {
      await mkdir(dirname(path), { recursive: true });
      await server.listen({ path });
      if (registrationDir === undefined) return;
      registration = registrationServer(driver, path);
      await mkdir(registrationDir, { recursive: true });
      await registration.listen({ path: join(registrationDir, `${driverName}-reg.sock`) });
    },
    async close() {
      await registration?.close();
      await server.close();
    },
  };
}

function registrationServer({ name, log }: Driver, endpoint: string): RpcServer {
  const server = createServer();
  server.add(pluginRegistration.Registration, {
    getInfo: () => ({ type: "CSIPlugin", name, endpoint, supportedVersions: ["1.0.0"] }),
    notifyRegistrationStatus: ({ pluginRegistered, error }) => {
      if (pluginRegistered) log.info({ driver: name }, "registered with the kubelet");
      else log.error({ driver: name, error }, "registration with the kubelet failed");
      return {};
    },
  });
  return server;
}
