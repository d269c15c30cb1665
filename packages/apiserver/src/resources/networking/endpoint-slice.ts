/**
 * EndpointSlice: a part of the addresses behind a service.
 *
 * Source  pkg/registry/discovery/endpointslice/strategy.go, pkg/apis/discovery/validation
 */
import type { Endpoint, EndpointPort, EndpointSlice } from "@nanokube/api/discovery/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { validateEndpointIP } from "../core/endpoint-ip.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  invalid,
  oneOf,
  required,
  tooMany,
} from "../field.ts";
import { kind } from "../generic.ts";
import { familyOf, validateIP, validateStrictIP } from "../ip.ts";
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { age, columns, listWithMore, nameOf } from "../table.ts";

const path = field("endpoints");

function validateAddress(address: string, type: string, list: FieldPath, i: number) {
  const at = list.index(i);
  if (type === "FQDN") {
    const name = address.replace(/\.$/, "");
    if (address === "") return [required(at)];
    const problems = dns1123Subdomain(name);
    if (problems.length > 0) return [invalid(at, name, problems.join(","))];
    if (name.includes(".")) return [];
    const why = "should be a domain with at least two segments separated by dots";
    return [invalid(at, name, why)];
  }
  if (type !== "IPv4" && type !== "IPv6") return [];
  const errors = type === "IPv4" ? validateIP(at, address) : validateStrictIP(at, address);
  if (errors.length > 0) return errors;
  if (familyOf(address) !== type) {
    errors.push(invalid(list, address, `must be an ${type} address`));
  }
  return [...errors, ...validateEndpointIP(address, at)];
}

function validateHints(endpoint: Endpoint, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, rule] of [
    ["forZones", labelValue],
    ["forNodes", dns1123Subdomain],
  ] as const) {
    const list = endpoint.hints?.[key] ?? [];
    if (list.length > 8) return [...errors, tooMany(at.child(key), list.length, 8)];
    const seen = new Set<string>();
    for (const [i, { name = "" }] of list.entries()) {
      const where = at.child(key).index(i).child("name");
      if (seen.has(name)) errors.push(duplicate(where, name));
      seen.add(name);
      errors.push(...check(where, name, rule));
    }
  }
  return errors;
}

function validateEndpoints(slice: EndpointSlice): FieldError[] {
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > 1000) return [tooMany(path, endpoints.length, 1000)];
  return endpoints.flatMap((endpoint, i) => {
    const at = path.index(i);
    const addresses = endpoint.addresses ?? [];
    const list = at.child("addresses");
    const errors: FieldError[] = [];
    if (addresses.length === 0) errors.push(required(list, "must contain at least 1 address"));
    else if (addresses.length > 100) errors.push(tooMany(list, addresses.length, 100));
    for (const [n, address] of addresses.entries()) {
      errors.push(...validateAddress(address, slice.addressType ?? "", list, n));
    }
    if (endpoint.nodeName !== undefined) {
      errors.push(...check(at.child("nodeName"), endpoint.nodeName, dns1123Subdomain));
    }
    if (endpoint.hostname !== undefined) {
      errors.push(...check(at.child("hostname"), endpoint.hostname, dns1123Label));
    }
    return [...errors, ...validateHints(endpoint, at.child("hints"))];
  });
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const list = field("ports");
  if (ports.length > 20000) return [tooMany(list, ports.length, 20000)];
  const seen = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = list.index(i);
    const { name = "", protocol, appProtocol } = port;
    const errors = name === "" ? [] : check(at.child("name"), name, dns1123Label);
    if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
    seen.add(name);
    if (protocol === undefined) errors.push(required(at.child("protocol")));
    else errors.push(...oneOf(at.child("protocol"), protocol, ["SCTP", "TCP", "UDP"]));
    if (appProtocol === undefined) return errors;
    return [...errors, ...check(at.child("appProtocol"), appProtocol, qualifiedName)];
  });
}

function validateSlice(slice: EndpointSlice, old?: EndpointSlice): FieldError[] {
  const at = field("addressType");
  const errors = slice.addressType
    ? oneOf(at, slice.addressType, ["FQDN", "IPv4", "IPv6"])
    : [required(at)];
  errors.push(...validatePorts(slice.ports ?? []));
  if (old !== undefined && semanticEqual(old.endpoints, slice.endpoints)) return errors;
  return [...errors, ...validateEndpoints(slice)];
}

/** "80,443": the number, else the name. */
function portTexts(slice: EndpointSlice): string[] {
  return (slice.ports ?? []).map((port) => String(port.port ?? port.name ?? "*"));
}

const hostname = "kubernetes.io/hostname";

/** v1 has no topology; a node that was told by it before is told by its name now. */
function dropTopology({ endpoints }: EndpointSlice, old?: EndpointSlice): void {
  const before = new Set(
    (old?.endpoints ?? []).map(({ deprecatedTopology }) => deprecatedTopology?.[hostname]),
  );
  for (const endpoint of endpoints ?? []) {
    const node = endpoint.deprecatedTopology?.[hostname];
    delete endpoint.deprecatedTopology;
    if (node === undefined || !before.has(node)) continue;
    if (dns1123Subdomain(node).length === 0) endpoint.nodeName ??= node;
  }
}

export const endpointSliceStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"], generation: ["endpoints", "ports", "addressType"] },
  {
    default(object) {
      for (const port of (object as EndpointSlice).ports ?? []) {
        port.name ??= "";
        port.protocol ??= "TCP";
      }
    },
    prepareForCreate: (object) => dropTopology(object as EndpointSlice),
    warnings(object, old) {
      const { addressType } = object as EndpointSlice;
      if (old !== undefined || addressType !== "FQDN") return [];
      return ["spec.addressType: FQDN endpoints are deprecated"];
    },
    prepareForUpdate(object, old) {
      if (!semanticEqual(object.endpoints, old.endpoints)) {
        dropTopology(object as EndpointSlice, old as EndpointSlice);
      }
      // Labels raise the generation too: the service a slice belongs to is one.
      const [now, before] = [object as EndpointSlice, old as EndpointSlice];
      const same =
        semanticEqual(now.endpoints, before.endpoints) &&
        semanticEqual(now.ports, before.ports) &&
        now.addressType === before.addressType;
      if (!same || semanticEqual(now.metadata?.labels, before.metadata?.labels)) return;
      now.metadata ??= {};
      now.metadata.generation = (before.metadata?.generation ?? 0) + 1;
    },
    validate: (object) => validateSlice(object as EndpointSlice),
    validateUpdate: (object, old) => [
      ...validateSlice(object as EndpointSlice, old as EndpointSlice),
      ...validateImmutable(object.addressType, old.addressType, field("addressType")),
    ],
    columns: columns("Name, AddressType, Ports, Endpoints, Age"),
    row(object, now) {
      const slice = object as EndpointSlice;
      const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
      return [
        nameOf(slice),
        slice.addressType ?? "",
        listWithMore(portTexts(slice), 3, "<unset>"),
        listWithMore(addresses, 3, "<unset>"),
        age(slice, now),
      ];
    },
  },
);
