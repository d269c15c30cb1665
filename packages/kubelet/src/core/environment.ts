/**
 * The environment of a container: envFrom, then env with `$(VAR)` resolved, then Services.
 *
 * Pure: config maps and secrets come in as maps that were fetched before.
 * Errors  a missing map or key that is not optional: upstream's text, which becomes the
 *         container's CreateContainerConfigError
 * Source  pkg/kubelet/kubelet_pods.go makeEnvironmentVariables
 */
import type { ConfigMap, Container, EnvVar, Pod, Secret } from "@nanokube/api/core/v1";
import { type DownwardContext, resolveField, resolveResource } from "./downward-api.ts";
import { expand } from "./expansion.ts";
import { podNamespace } from "./pod.ts";

export interface EnvironmentSources {
  /** undefined: does not exist. Throws what the API server answered otherwise. */
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  services: ReadonlyMap<string, string>;
  downward: DownwardContext;
}

const decode = (base64: string): string => {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return new TextDecoder().decode(bytes);
};

const missing = (kind: string, name: string) => new Error(`${kind} "${name}" not found`);

/** Names of config maps and secrets that the container's environment needs. */
export function environmentReferences(container: Container): {
  configMaps: Set<string>;
  secrets: Set<string>;
} {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const from of container.envFrom ?? []) {
    if (from.configMapRef?.name) configMaps.add(from.configMapRef.name);
    if (from.secretRef?.name) secrets.add(from.secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name) configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name) secrets.add(valueFrom.secretKeyRef.name);
  }
  return { configMaps, secrets };
}

function addEnvFrom(env: Map<string, string>, container: Container, sources: EnvironmentSources) {
  for (const from of container.envFrom ?? []) {
    const prefix = from.prefix ?? "";
    if (from.configMapRef !== undefined) {
      const name = from.configMapRef.name ?? "";
      const map = sources.configMap(name);
      if (map === undefined && from.configMapRef.optional !== true) {
        throw missing("configmap", name);
      }
      for (const [key, value] of Object.entries(map?.data ?? {})) env.set(prefix + key, value);
    } else if (from.secretRef !== undefined) {
      const name = from.secretRef.name ?? "";
      const secret = sources.secret(name);
      if (secret === undefined && from.secretRef.optional !== true) throw missing("secret", name);
      for (const [key, value] of Object.entries(secret?.data ?? {})) {
        env.set(prefix + key, decode(value));
      }
    }
  }
}

/** undefined: optional and not there, so the variable is left out. */
function valueFromMaps(pod: Pod, variable: EnvVar, sources: EnvironmentSources) {
  const { configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  const reference = configMapKeyRef ?? secretKeyRef;
  const name = reference?.name ?? "";
  const key = reference?.key ?? "";
  const optional = reference?.optional === true;
  const data =
    configMapKeyRef !== undefined ? sources.configMap(name)?.data : sources.secret(name)?.data;
  const exists =
    configMapKeyRef !== undefined
      ? sources.configMap(name) !== undefined
      : sources.secret(name) !== undefined;
  if (!exists) {
    if (optional) return undefined;
    throw missing(configMapKeyRef !== undefined ? "configmap" : "secret", name);
  }
  const value = data?.[key];
  if (value === undefined) {
    if (optional) return undefined;
    const kind = configMapKeyRef !== undefined ? "ConfigMap" : "Secret";
    throw new Error(`couldn't find key ${key} in ${kind} ${podNamespace(pod)}/${name}`);
  }
  return configMapKeyRef !== undefined ? value : decode(value);
}

function variableValue(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  env: Map<string, string>,
  sources: EnvironmentSources,
): string | undefined {
  if (variable.value) {
    return expand(variable.value, (name) => env.get(name) ?? sources.services.get(name));
  }
  const from = variable.valueFrom;
  if (from === undefined) return "";
  if (from.fieldRef !== undefined) return resolveField(pod, from.fieldRef, sources.downward);
  if (from.resourceFieldRef !== undefined) {
    return resolveResource(pod, from.resourceFieldRef, container, sources.downward);
  }
  if (from.fileKeyRef !== undefined) {
    throw new Error("env valueFrom.fileKeyRef is not implemented by this kubelet");
  }
  return valueFromMaps(pod, variable, sources);
}

/** The container's variables, in the order they were declared, Services last. */
export function makeEnvironment(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Map<string, string> {
  const env = new Map<string, string>();
  addEnvFrom(env, container, sources);
  for (const variable of container.env ?? []) {
    const value = variableValue(pod, container, variable, env, sources);
    if (value !== undefined) env.set(variable.name ?? "", value);
  }
  for (const [name, value] of sources.services) if (!env.has(name)) env.set(name, value);
  return env;
}

/** Command and arguments with `$(VAR)` resolved. */
export function expandCommand(container: Container, env: ReadonlyMap<string, string>) {
  const lookup = (name: string) => env.get(name);
  return {
    command: (container.command ?? []).map((word) => expand(word, lookup)),
    args: (container.args ?? []).map((word) => expand(word, lookup)),
  };
}
