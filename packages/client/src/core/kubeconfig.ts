/**
 * A kubeconfig, read: text → the RestConfig of one context, in kubectl's words when
 * something is missing.
 *
 * Pure: files that it names (certificates, keys) are read through `readFile`, given by
 * `io/kubeconfig-file.ts`.
 *
 * Errors  KubeconfigError, its message as kubectl prints it after `error: `
 * Source  client-go tools/clientcmd/client_config.go, validation.go
 */
import { parse } from "yaml";
import type { RestConfig } from "./rest-config.ts";

export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

interface Cluster {
  server?: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
  "proxy-url"?: string;
}

interface User {
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  as?: string;
  "as-uid"?: string;
  "as-groups"?: string[];
  "as-user-extra"?: Record<string, string[]>;
  exec?: unknown;
  "auth-provider"?: unknown;
}

interface Context {
  cluster?: string;
  user?: string;
  namespace?: string;
}

export interface Kubeconfig {
  "current-context"?: string;
  clusters?: { name: string; cluster?: Cluster }[];
  users?: { name: string; user?: User }[];
  contexts?: { name: string; context?: Context }[];
}

export interface KubeconfigSource {
  /** Named in errors. */
  path: string;
  /** PEM text of a file that the kubeconfig names, relative to the kubeconfig itself. */
  readFile(path: string): string;
  /** Makes a file's name in the kubeconfig absolute. */
  resolve(path: string): string;
}

/** One line; the library's own shows the place in several. */
function yamlProblem(error: unknown): string {
  const [first = ""] = (error as Error).message.split("\n");
  const [, problem = first, line] = /^(.*?) at line (\d+), column \d+:?$/.exec(first) ?? [];
  return line === undefined ? `yaml: ${problem}` : `yaml: line ${line}: ${problem}`;
}

export function parseKubeconfig(text: string, path = "kubeconfig"): Kubeconfig {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new KubeconfigError(`error loading config file "${path}": ${yamlProblem(error)}`);
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new KubeconfigError(
      `error loading config file "${path}": couldn't get version/kind; json parse error: json: cannot unmarshal ` +
        `${Array.isArray(value) ? "array" : typeof value} into Go value of type struct`,
    );
  }
  return value as Kubeconfig;
}

export function kubeconfigToRestConfig(
  kubeconfig: Kubeconfig,
  source: KubeconfigSource,
  contextName = kubeconfig["current-context"] ?? "",
): RestConfig {
  const context = kubeconfig.contexts?.find(({ name }) => name === contextName)?.context;
  if (contextName !== "" && context === undefined) {
    throw new KubeconfigError(`context "${contextName}" does not exist`);
  }
  const clusterName = context?.cluster ?? "";
  const cluster = kubeconfig.clusters?.find(({ name }) => name === clusterName)?.cluster;
  if (cluster === undefined) {
    throw new KubeconfigError(
      context === undefined
        ? "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
        : `cluster "${clusterName}" does not exist`,
    );
  }
  const userName = context?.user ?? "";
  const user = kubeconfig.users?.find(({ name }) => name === userName)?.user;
  if (userName !== "" && user === undefined) {
    throw new KubeconfigError(`auth info "${userName}" does not exist`);
  }
  return {
    ...clusterConfig(clusterName, cluster, source),
    ...userConfig(userName, user ?? {}, source),
    namespace: context?.namespace ?? "default",
  };
}

function clusterConfig(name: string, cluster: Cluster, source: KubeconfigSource): RestConfig {
  if (!cluster.server) {
    throw new KubeconfigError(`invalid configuration: no server found for cluster "${name}"`);
  }
  if (cluster["proxy-url"]) {
    throw new KubeconfigError(`cluster "${name}" has a proxy-url, which nanokube does not support`);
  }
  const caData = pem(cluster, "certificate-authority", `cluster "${name}"`, source);
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ...(caData === undefined ? {} : { caData }),
    ...(cluster["insecure-skip-tls-verify"] ? { insecureSkipTLSVerify: true } : {}),
    ...(cluster["tls-server-name"] ? { tlsServerName: cluster["tls-server-name"] } : {}),
  };
}

function userConfig(name: string, user: User, source: KubeconfigSource): Partial<RestConfig> {
  for (const plugin of ["exec", "auth-provider"] as const) {
    if (user[plugin] === undefined || user[plugin] === null) continue;
    throw new KubeconfigError(
      `user "${name}" gets its credentials by ${plugin}, which nanokube does not support: use a client certificate, a token or a tokenFile`,
    );
  }
  const certData = pem(user, "client-certificate", `user "${name}"`, source);
  const keyData = pem(user, "client-key", `user "${name}"`, source);
  if ((certData === undefined) !== (keyData === undefined)) {
    throw new KubeconfigError(
      keyData === undefined
        ? `invalid configuration: client-key-data or client-key must be specified for ${name} to use the clientCert authentication method.`
        : `invalid configuration: client-cert-data or client-cert must be specified for ${name} to use the clientCert authentication method.`,
    );
  }
  return {
    ...(certData === undefined ? {} : { certData, keyData }),
    ...(user.token ? { token: user.token } : {}),
    ...(user.tokenFile ? { tokenFile: source.resolve(user.tokenFile) } : {}),
    ...(user.username ? { username: user.username, password: user.password ?? "" } : {}),
    ...(user.as
      ? {
          impersonate: {
            user: user.as,
            uid: user["as-uid"],
            groups: user["as-groups"],
            extra: user["as-user-extra"],
          },
        }
      : {}),
  };
}

/** Inline data goes before a file, as upstream. */
function pem(
  from: object,
  field: string,
  whose: string,
  source: KubeconfigSource,
): string | undefined {
  const entries = from as Readonly<Record<string, unknown>>;
  const inline = entries[`${field}-data`];
  if (typeof inline === "string" && inline !== "") {
    try {
      return atob(inline);
    } catch {
      throw new KubeconfigError(
        `error loading config file "${source.path}": ` +
          `illegal base64 data in ${field}-data of ${whose}`,
      );
    }
  }
  const file = entries[field];
  if (typeof file !== "string" || file === "") return undefined;
  const path = source.resolve(file);
  try {
    return source.readFile(path);
  } catch (error) {
    throw new KubeconfigError(
      `invalid configuration: unable to read ${field} ${path} for ${whose} due to ${(error as Error).message}`,
    );
  }
}
