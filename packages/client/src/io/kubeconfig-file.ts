/**
 * Kubeconfigs on disk, and the files that a pod finds at /var/run/secrets.
 *
 * Errors  KubeconfigError in kubectl's words
 * Source  client-go tools/clientcmd/loader.go; rest/config.go InClusterConfig
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KubeconfigError, kubeconfigToRestConfig, parseKubeconfig } from "../core/kubeconfig.ts";
import type { RestConfig } from "../core/rest-config.ts";

/** From a path, or from the text itself (which has more than one line). */
export function loadKubeconfig(pathOrText: string, context?: string): RestConfig {
  const inline = pathOrText.includes("\n");
  const path = inline ? "kubeconfig" : resolve(pathOrText);
  const kubeconfig = parseKubeconfig(inline ? pathOrText : readKubeconfig(path), path);
  const base = inline ? "." : dirname(path);
  return kubeconfigToRestConfig(
    kubeconfig,
    {
      path,
      readFile: (file) => readFileSync(file, "utf8"),
      resolve: (file) => resolve(base, file),
    },
    context,
  );
}

function readKubeconfig(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw new KubeconfigError(`stat ${path}: no such file or directory`);
    if (code === "EACCES") {
      throw new KubeconfigError(
        `error loading config file "${path}": open ${path}: permission denied`,
      );
    }
    throw new KubeconfigError(`error loading config file "${path}": ${(error as Error).message}`);
  }
}

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

/** For a process in a pod. `env` is the process's environment: only a main reads that. */
export function inClusterConfig(
  env: Readonly<Record<string, string | undefined>>,
  dir: string = serviceAccountDir,
): RestConfig {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (!host || !port) {
    throw new KubeconfigError(
      "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined",
    );
  }
  const tokenFile = `${dir}/token`;
  let token: string;
  let caData: string;
  try {
    token = readFileSync(tokenFile, "utf8").trim();
    caData = readFileSync(`${dir}/ca.crt`, "utf8");
  } catch (error) {
    throw new KubeconfigError((error as Error).message);
  }
  const namespace = readNamespace(`${dir}/namespace`);
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    token,
    tokenFile,
    caData,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function readNamespace(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
