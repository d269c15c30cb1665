/**
 * ServiceCIDR and IPAddress: where cluster IPs come from, and who has one.
 *
 * Source  pkg/registry/networking/{servicecidr,ipaddress}, pkg/apis/networking/validation
 */
import type { IPAddress, ServiceCIDR } from "@nanokube/api/networking/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { check, type FieldError, field, invalid, required } from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { familyOf, formatIP, parseIP, validateCIDR } from "../ip.ts";
import { dns1123Subdomain, immutableError, pathSegment } from "../names.ts";
import { validateImmutable, validateObjectMetaUpdate } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";

const cidrs = field("spec", "cidrs");

function validateServiceCIDR(object: ServiceCIDR): FieldError[] {
  const list = object.spec?.cidrs ?? [];
  if (list.length === 0) {
    return [required(cidrs, "at least one CIDR required")];
  }
  const families = new Set(list.map((cidr) => familyOf(cidr.split("/")[0] ?? "")));
  if (list.length > 2) return [invalid(cidrs, list, "may only hold up to 2 values")];
  const errors = list.flatMap((cidr, i) => validateCIDR(cidrs.index(i), cidr));
  if (list.length === 2 && families.size < 2) {
    const why =
      "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    errors.push(invalid(cidrs, list, why));
  }
  return errors;
}

/** A second family may be added; else nothing changes. */
function validateServiceCIDRUpdate(object: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const now = object.spec?.cidrs ?? [];
  const before = old.spec?.cidrs ?? [];
  const isSecond = before.length === 1 && now.length === 2;
  if (now.length !== before.length && !isSecond) {
    return [invalid(cidrs, object.spec?.cidrs ?? null, immutableError)];
  }
  const changed = before.flatMap((cidr, i) =>
    cidr === now[i] ? [] : [invalid(cidrs.index(i), now[i], immutableError)],
  );
  return isSecond ? [...changed, ...validateServiceCIDR(object)] : changed;
}

export const serviceCIDRStrategy: ResourceStrategy = kind(
  { status: true, statusKeeps: allMetadata },
  {
    validate: (object) => validateServiceCIDR(object as ServiceCIDR),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status"
        ? []
        : validateServiceCIDRUpdate(object as ServiceCIDR, old as ServiceCIDR),
    columns: columns("Name, CIDRs, Age"),
    row: (object, now) => [
      nameOf(object),
      ((object as ServiceCIDR).spec?.cidrs ?? []).join(","),
      age(object, now),
    ],
  },
);

function canonicalIP(name: string): string[] {
  const bytes = parseIP(name);
  if (bytes === undefined) return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
  const text = formatIP(bytes);
  return text === name ? [] : [`must be in canonical form ("${text}")`];
}

function parentText(address: IPAddress): string {
  const parent = address.spec?.parentRef;
  if (parent === undefined) return "<none>";
  const resource = parent.group ? `${parent.resource}.${parent.group}` : (parent.resource ?? "");
  const namespace = parent.namespace ? `/${parent.namespace}` : "";
  return `${resource.toLowerCase()}${namespace}/${parent.name}`;
}

const parentAt = field("spec", "parentRef");

function validateAddress({ spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef;
  if (parent === undefined) return [required(parentAt)];
  const errors = parent.group ? check(parentAt.child("group"), parent.group, dns1123Subdomain) : [];
  for (const name of ["resource", "name", "namespace"] as const) {
    const at = parentAt.child(name);
    const value = parent[name];
    if (value) errors.push(...check(at, value, pathSegment));
    else if (name !== "namespace") errors.push(required(at));
  }
  return errors;
}

export const ipAddressStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"], name: canonicalIP },
  {
    validate: (object) => validateAddress(object as IPAddress),
    validateUpdate: (object, old) => [
      ...validateAddress(object as IPAddress),
      ...validateObjectMetaUpdate(object.metadata ?? {}, old.metadata ?? {}),
      ...validateImmutable(
        (object as IPAddress).spec?.parentRef,
        (old as IPAddress).spec?.parentRef,
        parentAt,
      ),
    ],
    columns: columns("Name, ParentRef"),
    // The age has no column.
    row: (object, now) => [nameOf(object), parentText(object as IPAddress), age(object, now)],
  },
);
