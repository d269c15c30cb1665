/**
 * CSIDriver, CSINode, CSIStorageCapacity: what a cluster knows of its storage drivers.
 *
 * Source  pkg/registry/storage/{csidriver,csinode,csistoragecapacity}, pkg/apis/storage/validation
 */
import type {
  CSIDriver,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
} from "@nanokube/api/storage/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateCSIDriverName } from "../core/csi-driver-name.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  nonNegative,
  oneOf,
  required,
} from "../field.ts";
import { bumpGeneration, kind } from "../generic.ts";
import { validateLabelSelector } from "../labels.ts";
import { dns1123Subdomain, qualifiedName } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { compareQuantities } from "../resource-list.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";

function defaultDriver(driver: CSIDriver): void {
  driver.spec ??= {};
  const { spec } = driver;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

function validateTokenRequests(driver: CSIDriver): FieldError[] {
  const seen = new Set<string>();
  return (driver.spec?.tokenRequests ?? []).flatMap(({ audience = "", expirationSeconds }, i) => {
    const at = field("spec", "tokenRequests").index(i);
    if (seen.has(audience)) return [duplicate(at.child("audience"), audience)];
    seen.add(audience);
    const seconds = at.child("expirationSeconds");
    if (expirationSeconds === undefined) return [];
    if (expirationSeconds < 600) {
      const why = "may not specify a duration less than 10 minutes";
      return [invalid(seconds, expirationSeconds, why)];
    }
    if (expirationSeconds <= 2 ** 32) return [];
    const why = "may not specify a duration larger than 2^32 seconds";
    return [invalid(seconds, expirationSeconds, why)];
  });
}

function validateDriver(driver: CSIDriver): FieldError[] {
  const spec = driver.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  // Upstream's path is attachedRequired.
  if (spec.attachRequired === undefined) errors.push(required(path.child("attachedRequired")));
  for (const name of ["podInfoOnMount", "storageCapacity"] as const) {
    if (spec[name] === undefined) errors.push(required(path.child(name)));
  }
  if (spec.fsGroupPolicy !== undefined) {
    const policies = ["File", "None", "ReadWriteOnceWithFSType"];
    errors.push(...oneOf(path.child("fsGroupPolicy"), spec.fsGroupPolicy, policies));
  }
  errors.push(...validateTokenRequests(driver));
  for (const mode of spec.volumeLifecycleModes ?? []) {
    const at = path.child("volumeLifecycleModes");
    errors.push(...oneOf(at, mode, ["Persistent", "Ephemeral"]));
  }
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < 10) {
    const at = path.child("nodeAllocatableUpdatePeriodSeconds");
    errors.push(invalid(at, period, "must be greater than or equal to 10 seconds"));
  }
  return errors;
}

const tokensInAttributes =
  "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to " +
  "prevent possible logging of tokens in volume attributes";

export const csiDriverStrategy: ResourceStrategy = kind(
  {},
  {
    prepareForUpdate(object, old) {
      // A new one has no generation; the first change makes it 1.
      if (!semanticEqual(object.spec, old.spec)) bumpGeneration(object, old);
    },
    default: (object) => defaultDriver(object as CSIDriver),
    validate: (object) => validateDriver(object as CSIDriver),
    validateUpdate(object, old) {
      const [spec, before] = [(object as CSIDriver).spec, (old as CSIDriver).spec];
      const attach = field("spec", "attachedRequired");
      const modes = field("spec", "volumeLifecycleModes");
      return [
        ...validateDriver(object as CSIDriver),
        ...validateImmutable(spec?.attachRequired, before?.attachRequired, attach),
        ...validateImmutable(spec?.volumeLifecycleModes, before?.volumeLifecycleModes, modes),
      ];
    },
    warnings(object, old) {
      const { tokenRequests, serviceAccountTokenInSecrets } = (object as CSIDriver).spec ?? {};
      const before = (old as CSIDriver | undefined)?.spec?.tokenRequests;
      if (!tokenRequests?.length || serviceAccountTokenInSecrets !== undefined) return [];
      if (old !== undefined && semanticEqual(tokenRequests, before)) return [];
      return [tokensInAttributes];
    },
    allowUnconditionalUpdate: false,
    columns: columns(
      "Name, AttachRequired:boolean, PodInfoOnMount:boolean, StorageCapacity:boolean, " +
        "TokenRequests, RequiresRepublish:boolean, Modes, Age",
    ),
    row(object, now) {
      const spec = (object as CSIDriver).spec ?? {};
      const audiences = spec.tokenRequests?.map((request) => request.audience ?? "").join(",");
      return [
        nameOf(object),
        spec.attachRequired ?? true,
        spec.podInfoOnMount ?? false,
        spec.storageCapacity ?? false,
        audiences ?? "<unset>",
        spec.requiresRepublish ?? false,
        (spec.volumeLifecycleModes ?? []).join(",") || "<none>",
        age(object, now),
      ];
    },
  },
);

function validateNodeDriver(driver: CSINodeDriver, names: Set<string>, path: FieldPath) {
  const { name = "", nodeID = "" } = driver;
  const topologyKeys = driver.topologyKeys ?? [];
  const errors = validateCSIDriverName(name, path.child("name"));
  if (nodeID === "") errors.push(required(path.child("nodeID")));
  if (nodeID.length > 256) {
    errors.push(invalid(path.child("nodeID"), nodeID, "must be 256 characters or less"));
  }
  errors.push(...nonNegative(path.child("allocatable", "count"), driver.allocatable?.count));
  if (names.has(name)) errors.push(duplicate(path.child("name"), name));
  names.add(name);
  for (const [i, key] of topologyKeys.entries()) {
    if (key === "") errors.push(required(path));
    if (topologyKeys.indexOf(key) < i) errors.push(duplicate(path, key));
    errors.push(...check(path, key, qualifiedName));
  }
  return errors;
}

function validateNode(node: CSINode): FieldError[] {
  const names = new Set<string>();
  return (node.spec?.drivers ?? []).flatMap((driver, i) =>
    validateNodeDriver(driver, names, field("spec", "drivers").index(i)),
  );
}

export const csiNodeStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"] },
  {
    validate: (object) => validateNode(object as CSINode),
    validateUpdate(object, old) {
      const errors = validateNode(object as CSINode);
      for (const before of (old as CSINode).spec?.drivers ?? []) {
        const now = (object as CSINode).spec?.drivers?.find((one) => one.name === before.name);
        if (now === undefined) continue;
        const { allocatable: _now, ...own } = now;
        const { allocatable: _before, ...stale } = before;
        errors.push(...validateImmutable(own, stale, field("spec", "drivers")));
      }
      return errors;
    },
    allowUnconditionalUpdate: false,
    columns: columns("Name, Drivers:integer, Age"),
    row: (object, now) => [
      nameOf(object),
      ((object as CSINode).spec?.drivers ?? []).length,
      age(object, now),
    ],
  },
);

export const csiStorageCapacityStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole", "spec", "update"] },
  {
    validate(object) {
      const { nodeTopology, storageClassName = "", capacity } = object as CSIStorageCapacity;
      const errors = validateLabelSelector(nodeTopology, field("nodeTopology"));
      errors.push(...check(field("storageClassName"), storageClassName, dns1123Subdomain));
      if (capacity !== undefined && compareQuantities(String(capacity), "0") < 0) {
        const why = "must be greater than or equal to 0";
        errors.push(invalid(field("capacity"), String(capacity), why));
      }
      return errors;
    },
    validateUpdate: (object, old) =>
      ["nodeTopology", "storageClassName"].flatMap((name) =>
        validateImmutable(object[name], old[name], field(name)),
      ),
    allowUnconditionalUpdate: false,
    columns: columns("Name, Created At:date"),
    row: (object) => [nameOf(object), object.metadata?.creationTimestamp ?? null],
  },
);
