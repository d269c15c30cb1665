/**
 * NetworkPolicy: who may talk to which pods.
 *
 * Source  pkg/registry/networking/networkpolicy/strategy.go, pkg/apis/networking/validation
 */
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "@nanokube/api/networking/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  check,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  oneOf,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { parsePrefix, prefixContains, validateCIDR } from "../ip.ts";
import { validateLabelSelector } from "../labels.ts";
import { portName, portNumber } from "../names.ts";
import { age, columns, formatLabelSelector, nameOf } from "../table.ts";

function validatePort(port: NetworkPolicyPort, path: FieldPath): FieldError[] {
  const { protocol, port: value, endPort } = port;
  const errors: FieldError[] = [];
  if (protocol !== undefined) {
    errors.push(...oneOf(path.child("protocol"), protocol, ["TCP", "UDP", "SCTP"]));
  }
  const [at, end] = [path.child("port"), path.child("endPort")];
  if (typeof value === "number") {
    errors.push(...portNumber(value).map((why) => invalid(at, value, why)));
    if (endPort === undefined) return errors;
    if (endPort < value)
      errors.push(invalid(end, value, "must be greater than or equal to `port`"));
    return [...errors, ...portNumber(endPort).map((why) => invalid(end, endPort, why))];
  }
  if (endPort !== undefined) {
    const when = value === undefined ? "not specified" : "non-numeric";
    errors.push(invalid(end, endPort, `may not be specified when \`port\` is ${when}`));
  }
  return value === undefined ? errors : [...errors, ...check(at, value, portName)];
}

function validateIPBlock(block: IPBlock, path: FieldPath): FieldError[] {
  if (!block.cidr) return [required(path.child("cidr"))];
  const errors = validateCIDR(path.child("cidr"), block.cidr);
  const network = parsePrefix(block.cidr);
  if (network === undefined) return errors;
  for (const [i, text] of (block.except ?? []).entries()) {
    const at = path.child("except").index(i);
    errors.push(...validateCIDR(at, text));
    const except = parsePrefix(text);
    if (except === undefined) continue;
    if (!prefixContains(network, except.bytes) || network.bits >= except.bits) {
      errors.push(invalid(at, text, "must be a strict subset of `cidr`"));
    }
  }
  return errors;
}

function validatePeer(peer: NetworkPolicyPeer, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let peers = 0;
  for (const name of ["podSelector", "namespaceSelector"] as const) {
    if (peer[name] === undefined) continue;
    peers++;
    errors.push(...validateLabelSelector(peer[name], path.child(name)));
  }
  if (peer.ipBlock !== undefined) {
    peers++;
    errors.push(...validateIPBlock(peer.ipBlock, path.child("ipBlock")));
  }
  if (peers === 0) errors.push(required(path, "must specify a peer"));
  else if (peers > 1 && peer.ipBlock !== undefined) {
    errors.push(forbidden(path, "may not specify both ipBlock and another peer"));
  }
  return errors;
}

function validatePolicy(policy: NetworkPolicy): FieldError[] {
  const spec = policy.spec ?? {};
  const path = field("spec");
  const errors = validateLabelSelector(spec.podSelector, path.child("podSelector"));
  for (const [list, peers] of [
    ["ingress", "from"],
    ["egress", "to"],
  ] as const) {
    for (const [i, rule] of (spec[list] ?? []).entries()) {
      const at = path.child(list).index(i);
      for (const [n, port] of (rule.ports ?? []).entries()) {
        errors.push(...validatePort(port, at.child("ports").index(n)));
      }
      const others = (rule as Record<string, NetworkPolicyPeer[] | undefined>)[peers] ?? [];
      for (const [n, peer] of others.entries()) {
        errors.push(...validatePeer(peer, at.child(peers).index(n)));
      }
    }
  }
  const types = spec.policyTypes ?? [];
  const at = path.child("policyTypes");
  if (types.length > 2) {
    return [...errors, invalid(at, types, "may not specify more than two policyTypes")];
  }
  return [
    ...errors,
    ...types.flatMap((type, i) => oneOf(at.index(i), type, ["Ingress", "Egress"])),
  ];
}

function defaultPolicy(policy: NetworkPolicy): void {
  policy.spec ??= {};
  const { spec } = policy;
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= "TCP";
  }
  if ((spec.policyTypes ?? []).length > 0) return;
  spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

export const networkPolicyStrategy: ResourceStrategy = kind(
  { generation: ["spec"] },
  {
    default: (object) => defaultPolicy(object as NetworkPolicy),
    validate: (object) => validatePolicy(object as NetworkPolicy),
    validateUpdate: (object) => validatePolicy(object as NetworkPolicy),
    columns: columns("Name, Pod-Selector, Age"),
    row: (object, now) => [
      nameOf(object),
      formatLabelSelector((object as NetworkPolicy).spec?.podSelector),
      age(object, now),
    ],
  },
);
