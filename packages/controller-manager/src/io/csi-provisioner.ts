/**
 * Runs the CSI provisioner against a driver's socket.
 *
 * Units  a CreateVolume or DeleteVolume may take 60 s (a driver that is slower answers the same to
 *        the same request later)
 */
import { type Client, createInformerFactory } from "@nanokube/client";
import type { Clock, Log, Random } from "@nanokube/machinery";
import { type Channel, createClient, csi } from "@nanokube/rpc";
import {
  type CsiProvisionerOptions,
  type CsiQuestion,
  createCsiProvisionerController,
} from "../core/csi-provisioner/csi-provisioner.ts";
import type { CreatedVolume } from "../core/csi-provisioner/request.ts";
import { runController } from "./runner.ts";

const timeoutMs = 60_000;

export interface CsiProvisionerDeps extends CsiProvisionerOptions {
  client: Client;
  /** The driver's: dial("unix:///csi/csi.sock"). */
  csi: Channel;
  clock: Clock;
  random: Random;
  log: Log;
}

export function createCsiProvisioner(deps: CsiProvisionerDeps): {
  start(signal: AbortSignal): Promise<void>;
} {
  const { client, clock, random, log } = deps;
  const driver = createClient(deps.csi, csi.Controller);
  const answer = async (asked: unknown, signal: AbortSignal): Promise<unknown> => {
    const question = asked as CsiQuestion;
    if (question.call === "deleteVolume") {
      await driver.deleteVolume({ volumeId: question.volumeId }, { signal, timeoutMs });
      return undefined;
    }
    if (question.call === "expandVolume") {
      const { volumeId, requiredBytes } = question;
      const capacityRange = { requiredBytes };
      return driver.controllerExpandVolume({ volumeId, capacityRange }, { signal, timeoutMs });
    }
    const { volume } = await driver.createVolume(question.request, { signal, timeoutMs });
    if (volume === undefined)
      throw new Error("the CSI driver answered CreateVolume without a volume");
    return volume satisfies CreatedVolume;
  };
  return {
    async start(signal) {
      const informers = createInformerFactory({ client, clock, random, log });
      const controller = { ...createCsiProvisionerController(deps), answer };
      const running = runController(controller, { client, informers, clock, random, log }, signal);
      informers.start(signal);
      await running;
    },
  };
}
