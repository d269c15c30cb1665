/**
 * ResourceClaim: devices for pods; what was allocated, and for whom, stands in its status.
 *
 * Source  pkg/registry/resource/resourceclaim/strategy.go
 */
import type { ResourceClaim } from "@nanokube/api/resource/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { field } from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";
import { dropStatusOfDeallocated, validateClaimStatus } from "./claim-status.ts";
import {
  defaultDeviceClaim,
  defaultTolerations,
  validateAdminAccess,
  validateDeviceClaim,
} from "./device-claim.ts";

function stateOf({ metadata, status }: ResourceClaim): string {
  const states = metadata?.deletionTimestamp ? ["deleted"] : [];
  if (status?.allocation === undefined) {
    if (states.length === 0) states.push("pending");
  } else {
    states.push("allocated");
    if ((status.reservedFor ?? []).length > 0) states.push("reserved");
  }
  return states.join(",");
}

export const resourceClaimStrategy: ResourceStrategy = kind(
  {
    status: true,
    initialStatus: () => ({}),
    statusKeeps: allMetadata,
    updateMeta: ["whole", "update"],
  },
  {
    default(object) {
      const { spec, status } = object as ResourceClaim;
      defaultDeviceClaim(spec?.devices);
      for (const { tolerations } of status?.allocation?.devices?.results ?? []) {
        defaultTolerations(tolerations);
      }
    },
    prepareForUpdate(object, old, { subresource }) {
      if (subresource !== "status") return;
      dropStatusOfDeallocated(object as ResourceClaim, old as ResourceClaim);
    },
    validate(object, { namespaceLabels }) {
      const devices = (object as ResourceClaim).spec?.devices;
      return [
        ...validateAdminAccess(devices, namespaceLabels?.()),
        ...validateDeviceClaim(devices, field("spec", "devices")),
      ];
    },
    validateUpdate(object, old, { subresource, namespaceLabels }) {
      const [claim, before] = [object as ResourceClaim, old as ResourceClaim];
      return subresource === "status"
        ? validateClaimStatus(claim, before, namespaceLabels?.())
        : validateImmutable(claim.spec ?? {}, before.spec, field("spec"));
    },
    columns: columns("Name, State, Age"),
    row: (object, now) => [nameOf(object), stateOf(object as ResourceClaim), age(object, now)],
  },
);
