/**
 * Identity: who the driver is and what it can do.
 *
 * Source  CSI v1.9 spec.md, Identity Service RPC
 */
import { csi, type Handlers } from "@nanokube/rpc";
import type { Driver } from "./driver.ts";

export function identityService(driver: Driver): Handlers<typeof csi.Identity> {
  const service = (type: number) => ({ service: { type } });
  return {
    getPluginInfo: () => ({ name: driver.name, vendorVersion: driver.version }),
    getPluginCapabilities: () => ({
      capabilities: [
        service(csi.PluginCapability_Service_Type.CONTROLLER_SERVICE),
        service(csi.PluginCapability_Service_Type.VOLUME_ACCESSIBILITY_CONSTRAINTS),
        { volumeExpansion: { type: csi.PluginCapability_VolumeExpansion_Type.ONLINE } },
      ],
    }),
    probe: () => ({ ready: { value: true } }),
  };
}
