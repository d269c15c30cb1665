/**
 * The plugin's configuration: what the administrator wrote and the runtime added, checked once,
 * typed from there on.
 *
 * A key of upstream's bridge, portmap or bandwidth plugin that is left out here is refused by name
 * (code 2) when it asks for something; keys nobody knows are ignored, as Go's decoder does and the
 * specification demands ("unknown keys: ignore").
 *
 * Shapes  BridgeConfig  the bridge; `ipam` undefined means a layer-2 attachment without addresses
 * Units   mtu           bytes; 0 is the kernel's default
 * Errors  2 a feature that is left out; 7 a value that makes no sense
 * Source  containernetworking/plugins v1.9 plugins/main/bridge/bridge.go NetConf,
 *         plugins/ipam/host-local config.go
 */
import { CNIError } from "./errors.ts";
import { formatIP, type IP, type Network, parseIP, parseNetwork } from "./ip.ts";
import { type PortMapping, parsePortMappings } from "./port-mappings.ts";
import { canonicalRangeSet, overlap, type Range } from "./ranges.ts";
import type { Request } from "./request.ts";
import type { DNS, Route } from "./result.ts";

type Json = Readonly<Record<string, unknown>>;

export interface IPAMConfig {
  dataDir: string;
  resolvConf: string | undefined;
  rangeSets: readonly (readonly Range[])[];
  requested: readonly IP[];
  routes: readonly Route[];
}

export interface BridgeConfig {
  name: string;
  bridge: string;
  isGateway: boolean;
  isDefaultGateway: boolean;
  forceAddress: boolean;
  ipMasq: boolean;
  mtu: number;
  hairpinMode: boolean;
  promiscMode: boolean;
  portIsolation: boolean;
  enableDAD: boolean;
  mac: string | undefined;
  ipam: IPAMConfig | undefined;
  dns: DNS | undefined;
  portMappings: readonly PortMapping[];
  snat: boolean;
}

/** Keys that ask for what is left out, with the value that asks for nothing. */
const leftOut: readonly (readonly [key: string, nothing: readonly unknown[]])[] = [
  ["vlan", [0]],
  ["vlanTrunk", [null]],
  ["preserveDefaultVlan", [false]],
  ["macspoofchk", [false]],
  ["disableContainerInterface", [false]],
  ["ipMasqBackend", [null, "iptables"]],
  ["backend", [null, "iptables"]],
  ["masqAll", [false]],
  ["conditionsV4", [null]],
  ["conditionsV6", [null]],
  ["externalSetMarkChain", [null]],
  ["markMasqBit", [null, 13]],
];

export function parseConfig(request: Request): BridgeConfig {
  const json = request.config;
  for (const [key, nothing] of leftOut) refuseLeftOut(json, key, nothing);
  const runtime = objectAt(json, "runtimeConfig");
  refuseLeftOut(runtime, "bandwidth", [null]);
  const config: BridgeConfig = {
    name: String(json.name),
    bridge: bridgeName(json),
    isGateway: booleanAt(json, "isGateway") || booleanAt(json, "isDefaultGateway"),
    isDefaultGateway: booleanAt(json, "isDefaultGateway"),
    forceAddress: booleanAt(json, "forceAddress"),
    ipMasq: booleanAt(json, "ipMasq"),
    mtu: integerAt(json, "mtu"),
    hairpinMode: booleanAt(json, "hairpinMode"),
    promiscMode: booleanAt(json, "promiscMode"),
    portIsolation: booleanAt(json, "portIsolation"),
    enableDAD: booleanAt(json, "enabledad"),
    mac: requestedMAC(request, runtime),
    ipam: parseIPAM(request, runtime),
    dns: parseDNS(json.dns),
    portMappings: parsePortMappings(runtime.portMappings),
    snat: json.snat === undefined || booleanAt(json, "snat"),
  };
  if (config.hairpinMode && config.promiscMode) {
    invalid("cannot set hairpin mode and promiscuous mode at the same time");
  }
  return config;
}

function refuseLeftOut(json: Json, key: string, nothing: readonly unknown[]): void {
  const value = json[key];
  if (value === undefined || nothing.includes(value)) return;
  const text = `unsupported field ${key}: ${JSON.stringify(value)}`;
  throw new CNIError("unsupportedField", text, "nanokube's cni-bridge leaves this feature out");
}

function invalid(message: string, details = ""): never {
  throw new CNIError("invalidConfig", message, details);
}

function objectAt(json: Json, key: string): Json {
  const value = json[key] ?? {};
  if (typeof value !== "object" || Array.isArray(value)) {
    invalid(`failed to load netconf: ${key} is not an object`);
  }
  return value as Json;
}

function booleanAt(json: Json, key: string): boolean {
  const value = json[key] ?? false;
  if (typeof value !== "boolean") invalid(`failed to load netconf: ${key} is not a boolean`);
  return value;
}

function integerAt(json: Json, key: string): number {
  const value = json[key] ?? 0;
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    invalid(`failed to load netconf: ${key} is not a positive number`);
  }
  return value as number;
}

function bridgeName(json: Json): string {
  const name = json.bridge ?? "cni0";
  if (typeof name !== "string" || !/^[^/:\s]{1,15}$/.test(name) || name === "." || name === "..") {
    invalid(`failed to load netconf: invalid bridge name ${JSON.stringify(name)}`);
  }
  return name;
}

/** The last of CNI_ARGS, args.cni and runtimeConfig wins, as upstream. */
function requestedMAC(request: Request, runtime: Json): string | undefined {
  const args = objectAt(objectAt(request.config, "args"), "cni");
  const mac = runtime.mac ?? args.mac ?? request.args.get("MAC");
  if (mac === undefined || mac === "") return undefined;
  if (typeof mac !== "string" || !/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(mac)) {
    invalid(`failed to parse MAC address ${JSON.stringify(mac)}`);
  }
  return mac;
}

function parseDNS(value: unknown): DNS | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.keys(value).length === 0 ? undefined : (value as DNS);
}

function parseIPAM(request: Request, runtime: Json): IPAMConfig | undefined {
  const json = objectAt(request.config, "ipam");
  const type = json.type ?? "";
  if (type === "") {
    if (Object.keys(json).length > 0) invalid("IPAM config missing 'type' key");
    return undefined;
  }
  if (type !== "host-local") {
    const text = `unsupported field ipam.type: ${JSON.stringify(type)}`;
    throw new CNIError("unsupportedField", text, 'only "host-local" is built in');
  }
  const dataDir = json.dataDir ?? "/var/lib/cni/networks";
  if (typeof dataDir !== "string" || !dataDir.startsWith("/")) {
    invalid("ipam.dataDir must be an absolute path");
  }
  return {
    dataDir,
    resolvConf: typeof json.resolvConf === "string" ? json.resolvConf : undefined,
    rangeSets: parseRangeSets(json, runtime),
    requested: requestedIPs(request, runtime),
    routes: parseRoutes(json.routes),
  };
}

function parseRangeSets(json: Json, runtime: Json): Range[][] {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const sets = [
    ...list(runtime.ipRanges),
    ...(json.subnet === undefined ? [] : [[json]]),
    ...list(json.ranges),
  ];
  if (sets.length === 0) invalid("no IP ranges specified");
  const canonical = sets.map((set, i) => canonicalRangeSet(list(set), i));
  for (const [i, set] of canonical.entries()) {
    for (const [j, other] of canonical.entries()) {
      if (j > i && overlap(set, other)) invalid(`range set ${i} overlaps with ${j}`);
    }
  }
  return canonical;
}

function requestedIPs(request: Request, runtime: Json): IP[] {
  const args = objectAt(objectAt(request.config, "args"), "cni");
  const texts = [request.args.get("IP"), ...[args.ips, runtime.ips].flat()];
  const ips = new Map<string, IP>();
  for (const text of texts) {
    if (text === undefined) continue;
    const ip = parseIP(text) ?? parseNetwork(text)?.address;
    if (ip === undefined) invalid(`cannot understand ip: ${JSON.stringify(text)}`);
    ips.set(formatIP(ip), ip);
  }
  return [...ips.values()];
}

function parseRoutes(value: unknown): Route[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) invalid("ipam.routes is not a list");
  return value.map((route: Route, i) => {
    const dst: Network | undefined = parseNetwork(route?.dst);
    if (dst === undefined) invalid(`ipam.routes[${i}]: invalid CIDR address: ${route?.dst}`);
    if (route.gw !== undefined && parseIP(route.gw) === undefined) {
      invalid(`ipam.routes[${i}]: invalid IP address: ${route.gw}`);
    }
    for (const key of ["mtu", "advmss", "priority", "table", "scope"] as const) {
      const number = route[key];
      if (number !== undefined && (!Number.isSafeInteger(number) || number < 0)) {
        invalid(`ipam.routes[${i}]: ${key} is not a positive number`);
      }
    }
    return route;
  });
}
