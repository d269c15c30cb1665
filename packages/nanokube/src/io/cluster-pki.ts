/**
 * Every certificate and kubeconfig that one cluster needs.
 *
 * Source  kubernetes.io/docs/setup/best-practices/certificates
 */
import type { RestConfig } from "@nanokube/client";
import { type ClusterState, serverURL } from "../core/cluster-state.ts";
import { formatKubeconfig } from "../core/kubeconfig.ts";
import { planNetwork, planNode } from "../core/topology.ts";
import type { DataDir } from "./data-dir.ts";
import type { Authority, CertificateRequest, KeyPair } from "./pki.ts";
import { writeWhole } from "./write-whole.ts";

const componentUsers = [
  "system:kube-controller-manager",
  "system:kube-scheduler",
  "system:kube-proxy",
  "system:csi-provisioner",
] as const;

export const fileName = (user: string) => user.replace(/^system:/, "").replaceAll(":", "-");

export interface ClusterPKI {
  ca: Authority;
  frontProxyCA: Authority;
  apiserver: KeyPair;
  kubeletClient: KeyPair;
  frontProxyClient: KeyPair;
  serviceAccount: { privateKey: string; publicKey: string };
}

/** Who has the administrator's kubeconfig, and the name its certificate is kept under. */
const admin = "kubernetes-admin";

const adminRequest: CertificateRequest = {
  commonName: admin,
  organizations: ["system:masters"],
  keyType: "rsa",
};

async function writeUser(
  dir: DataDir,
  state: ClusterState,
  ca: Authority,
  file: string,
  request: CertificateRequest,
): Promise<void> {
  const pair = await dir.pki.certificate(fileName(request.commonName), ca, request);
  const text = formatKubeconfig({
    name: "nanokube",
    server: serverURL(state),
    ca: ca.cert,
    cert: pair.cert,
    key: pair.key,
  });
  await writeWhole(file, text, 0o600);
}

/** The kubelet's identity and, with the node's addresses in it, its serving certificate. */
export async function nodePKI(
  dir: DataDir,
  state: ClusterState,
  ca: Authority,
  index: number,
): Promise<KeyPair> {
  const plan = planNode(planNetwork(state.slot), index);
  const user = `system:node:${plan.name}`;
  const identity = { commonName: user, organizations: ["system:nodes"] };
  await writeUser(dir, state, ca, dir.componentKubeconfig(plan.name), identity);
  return dir.pki.certificate(`${plan.name}-serving`, ca, {
    ...identity,
    dnsNames: [plan.name, "localhost"],
    addresses: [state.mode === "containerd" ? plan.address : "127.0.0.1", "127.0.0.1"],
  });
}

/** What servers need: read, or made where it is missing. */
export async function clusterPKI(dir: DataDir, state: ClusterState): Promise<ClusterPKI> {
  const { pki } = dir;
  const [ca, frontProxyCA, serviceAccount] = await Promise.all([
    pki.authority("ca", "nanokube-ca"),
    pki.authority("front-proxy-ca", "nanokube-front-proxy-ca"),
    pki.serviceAccountKey(),
  ]);
  const serviceNames = ["", ".default", ".default.svc", ".default.svc.cluster.local"];
  const [apiserver, kubeletClient, frontProxyClient] = await Promise.all([
    pki.certificate("apiserver", ca, {
      commonName: "kube-apiserver",
      dnsNames: ["localhost", ...serviceNames.map((suffix) => `kubernetes${suffix}`)],
      addresses: ["127.0.0.1", "::1", "10.96.0.1", planNetwork(state.slot).gateway],
    }),
    pki.certificate("apiserver-kubelet-client", ca, {
      commonName: "kube-apiserver-kubelet-client",
    }),
    pki.certificate("front-proxy-client", frontProxyCA, { commonName: "front-proxy-client" }),
  ]);
  return { ca, frontProxyCA, apiserver, kubeletClient, frontProxyClient, serviceAccount };
}

/** What clients need: the administrator's kubeconfig, and one for each component. */
export async function writeKubeconfigs(dir: DataDir, state: ClusterState): Promise<void> {
  const ca = await dir.pki.authority("ca", "nanokube-ca");
  await Promise.all([
    writeUser(dir, state, ca, dir.kubeconfig, adminRequest),
    ...componentUsers.map((user) =>
      writeUser(dir, state, ca, dir.componentKubeconfig(fileName(user)), { commonName: user }),
    ),
  ]);
}

/** What the administrator's kubeconfig says, without reading YAML. */
export async function adminConfig(dir: DataDir, state: ClusterState): Promise<RestConfig> {
  const ca = await dir.pki.authority("ca", "nanokube-ca");
  const { cert, key } = await dir.pki.certificate(admin, ca, adminRequest);
  return { server: serverURL(state), caData: ca.cert, certData: cert, keyData: key };
}
