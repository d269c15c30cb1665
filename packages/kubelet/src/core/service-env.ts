/**
 * Variables that tell a container where the Services are.
 *
 * Source  pkg/kubelet/envvars/envvars.go, pkg/kubelet/kubelet_pods.go getServiceEnvVarMap
 */
import type { Service } from "@nanokube/api/core/v1";

const variable = (name: string): string => name.replaceAll("-", "_").toUpperCase();

const joinHostPort = (host: string, port: number | undefined): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

function linkVariables(service: Service, env: Map<string, string>): void {
  const prefix = variable(service.metadata?.name ?? "");
  const ip = service.spec?.clusterIP ?? "";
  for (const [index, port] of (service.spec?.ports ?? []).entries()) {
    const protocol = port.protocol ?? "TCP";
    const url = `${protocol.toLowerCase()}://${joinHostPort(ip, port.port)}`;
    if (index === 0) env.set(`${prefix}_PORT`, url);
    const own = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
    env.set(own, url);
    env.set(`${own}_PROTO`, protocol.toLowerCase());
    env.set(`${own}_PORT`, String(port.port));
    env.set(`${own}_ADDR`, ip);
  }
}

/** Without links only the API server's own Service is told. */
export function serviceEnvironment(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
): Map<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const ip = service.spec?.clusterIP;
    if (ip === undefined || ip === "" || ip === "None") continue;
    const name = service.metadata?.name ?? "";
    const home = service.metadata?.namespace;
    if (home === "default" && name === "kubernetes") {
      if (!chosen.has(name)) chosen.set(name, service);
    } else if (home === namespace && enableServiceLinks) chosen.set(name, service);
  }
  const env = new Map<string, string>();
  for (const service of chosen.values()) {
    const prefix = variable(service.metadata?.name ?? "");
    const ports = service.spec?.ports ?? [];
    env.set(`${prefix}_SERVICE_HOST`, service.spec?.clusterIP ?? "");
    env.set(`${prefix}_SERVICE_PORT`, String(ports[0]?.port ?? ""));
    for (const port of ports) {
      if (port.name) env.set(`${prefix}_SERVICE_PORT_${variable(port.name)}`, String(port.port));
    }
    linkVariables(service, env);
  }
  return env;
}
