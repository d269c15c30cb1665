/**
 * Endpoints: the addresses behind a service, before EndpointSlice.
 *
 * Source  pkg/registry/core/endpoint/strategy.go, pkg/apis/core/validation/validation.go
 */
import type { EndpointAddress, EndpointPort, Endpoints } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  oneOf,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { validateIP } from "../ip.ts";
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from "../names.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateEndpointIP } from "./endpoint-ip.ts";

function validateAddress(address: EndpointAddress, path: FieldPath): FieldError[] {
  const { ip = "", hostname, nodeName } = address;
  const errors = validateIP(path.child("ip"), ip);
  if (hostname) errors.push(...check(path.child("hostname"), hostname, dns1123Label));
  if (nodeName !== undefined) {
    errors.push(...check(path.child("nodeName"), nodeName, dns1123Subdomain));
  }
  return [...errors, ...validateEndpointIP(ip, path.child("ip"))];
}

function validatePort(port: EndpointPort, many: boolean, path: FieldPath): FieldError[] {
  const { name = "", port: number = 0, protocol = "", appProtocol } = port;
  const errors: FieldError[] = [];
  if (many && name === "") errors.push(required(path.child("name")));
  else if (name !== "") errors.push(...check(path.child("name"), name, dns1123Label));
  errors.push(...portNumber(number).map((why) => invalid(path.child("port"), number, why)));
  if (protocol === "") errors.push(required(path.child("protocol")));
  else errors.push(...oneOf(path.child("protocol"), protocol, ["SCTP", "TCP", "UDP"]));
  if (appProtocol === undefined) return errors;
  return [...errors, ...check(path.child("appProtocol"), appProtocol, qualifiedName)];
}

function validateEndpoints(endpoints: Endpoints): FieldError[] {
  return (endpoints.subsets ?? []).flatMap((subset, i) => {
    const at = field("subsets").index(i);
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(required(at, "must specify `addresses` or `notReadyAddresses`"));
    }
    return [
      ...errors,
      ...addresses.flatMap((one, n) => validateAddress(one, at.child("addresses").index(n))),
      ...notReadyAddresses.flatMap((one, n) =>
        validateAddress(one, at.child("notReadyAddresses").index(n)),
      ),
      ...ports.flatMap((one, n) => validatePort(one, ports.length > 1, at.child("ports").index(n))),
    ];
  });
}

function endpointsText(endpoints: Endpoints): string {
  const list: string[] = [];
  for (const { addresses = [], ports = [] } of endpoints.subsets ?? []) {
    if (ports.length === 0) list.push(...addresses.map((address) => address.ip ?? ""));
    for (const port of ports) {
      for (const { ip = "" } of addresses) {
        list.push(ip.includes(":") ? `[${ip}]:${port.port}` : `${ip}:${port.port}`);
      }
    }
  }
  if ((endpoints.subsets ?? []).length === 0) return "<none>";
  const shown = list.slice(0, 3).join(",");
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}

export const endpointsStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"] },
  {
    default(object) {
      for (const subset of (object as Endpoints).subsets ?? []) {
        for (const port of subset.ports ?? []) port.protocol ||= "TCP";
      }
    },
    validate: (object) => validateEndpoints(object as Endpoints),
    validateUpdate: (object, old) =>
      semanticEqual(object.subsets, old.subsets) ? [] : validateEndpoints(object as Endpoints),
    allowCreateOnUpdate: true,
    columns: columns("Name, Endpoints, Age"),
    row: (object, now) => [nameOf(object), endpointsText(object as Endpoints), age(object, now)],
  },
);
