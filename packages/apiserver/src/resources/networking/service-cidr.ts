/**
 * ServiceCIDR and IPAddress: where cluster IPs come from, and who has one.
 *
 * Source  pkg/registry/networking/{servicecidr,ipaddress}, pkg/apis/networking/validation
 */
import type { IPAddress, ServiceCIDR } from "@nanokube/api/networking/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { type FieldError, field, invalid, required } from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { familyOf, formatIP, parseIP, validateCIDR } from "../ip.ts";
import { pathSegment } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
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
      "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96";
    errors.push(invalid(cidrs, list, why));
  }
  return errors;
}

export const serviceCIDRStrategy: ResourceStrategy = kind(
  { status: true, statusKeeps: allMetadata },
  {
    validate: (object) => validateServiceCIDR(object as ServiceCIDR),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status"
        ? []
        : validateImmutable(
            (object as ServiceCIDR).spec?.cidrs,
            (old as ServiceCIDR).spec?.cidrs,
            cidrs,
          ),
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

export const ipAddressStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole", "update"], name: canonicalIP },
  {
    validate(object) {
      const path = field("spec", "parentRef");
      const parent = (object as IPAddress).spec?.parentRef;
      if (parent === undefined) return [required(path)];
      const errors: FieldError[] = [];
      for (const name of ["resource", "name"] as const) {
        const value = parent[name];
        if (!value) errors.push(required(path.child(name)));
        else errors.push(...pathSegment(value).map((why) => invalid(path.child(name), value, why)));
      }
      return errors;
    },
    validateUpdate: (object, old) => validateImmutable(object.spec, old.spec, field("spec")),
    columns: columns("Name, ParentRef, Age"),
    row: (object, now) => [nameOf(object), parentText(object as IPAddress), age(object, now)],
  },
);
