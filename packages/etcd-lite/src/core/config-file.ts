/**
 * --config-file: etcd's YAML as flags. Keys are the flags' names; the two blocks of TLS settings
 * stand for the flags of the same names (those of peers with "peer-" before them).
 *
 * When there is a file, flags and environment say nothing, as with etcd. A key that asks for what
 * is not there is refused by name; one that is empty asks for nothing.
 * Source  etcd v3.6 server/embed/config.go configYAML, securityConfig
 */
import { FlagError, type FlagValues, take, withNewNames } from "./flags.ts";

const sections: Readonly<Record<string, string>> = {
  "client-transport-security": "",
  "peer-transport-security": "peer-",
};

/** Names in a TLS block that are flags without the prefix of the other block. */
const clientNames: Readonly<Record<string, string>> = {
  "crl-file": "client-crl-file",
  "allowed-hostname": "client-cert-allowed-hostname",
};
const peerNames: Readonly<Record<string, string>> = {
  "allowed-cn": "peer-cert-allowed-cn",
  "allowed-hostname": "peer-cert-allowed-hostname",
};

/** `document` is what a YAML parser made of the file. */
export function configToFlags(document: unknown): FlagValues {
  const values: Record<string, string> = {};
  if (document === null || document === undefined) return values;
  for (const [key, value] of Object.entries(mapping(document, "the file"))) {
    const prefix = sections[key];
    if (prefix === undefined) {
      note(values, key, value);
      continue;
    }
    if (value === null) continue;
    for (const [name, setting] of Object.entries(mapping(value, key))) {
      const names = prefix === "" ? clientNames : peerNames;
      note(values, names[name] ?? `${prefix}${name}`, setting);
    }
  }
  return withNewNames(values);
}

function mapping(value: unknown, where: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new FlagError(`error unmarshaling configuration: ${where} is not a mapping`);
}

function note(values: Record<string, string>, name: string, value: unknown): void {
  if (value === null || value === "" || value === false) return;
  if (Array.isArray(value)) note(values, name, value.join(","));
  else if (typeof value === "object") {
    throw new FlagError(`error unmarshaling configuration: ${name} is a mapping`);
  } else take(values, name, String(value));
}
