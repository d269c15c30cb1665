/**
 * The environment's own CA, and certificates for its server and users. Kept in memory only.
 *
 * Certificates hold for both clocks: TLS clients judge them by the machine's, the API server by the
 * environment's, which a test may have set to any year.
 */
import { generateKeyPairSync } from "node:crypto";
import { type Authority, createAuthority, formatKubeconfig, issue, type KeyPair } from "nanokube";

const dayMs = 86_400_000;
const futureDays = 100 * 365;

export interface ServiceAccountKeys {
  privateKey: string;
  publicKey: string;
}

export interface Credentials {
  ca: Authority;
  serving: KeyPair;
  admin: KeyPair;
  serviceAccount: ServiceAccountKeys;
}

function validityFor(nowMs: number) {
  const earliest = Math.min(nowMs, Date.now()) - dayMs;
  const latest = Math.max(nowMs, Date.now()) + futureDays * dayMs;
  return { notBefore: new Date(earliest), notAfter: new Date(latest) };
}

export async function createCredentials(nowMs: number): Promise<Credentials> {
  const validity = validityFor(nowMs);
  const ca = await createAuthority("nanokube-testenv-ca", validity);
  const [serving, admin] = await Promise.all([
    issue(ca, {
      commonName: "kube-apiserver",
      dnsNames: ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
      addresses: ["127.0.0.1", "::1"],
      validity,
    }),
    issueUser(ca, "kubernetes-admin", ["system:masters"], nowMs),
  ]);
  return { ca, serving, admin, serviceAccount: serviceAccountKeys() };
}

export function issueUser(
  ca: Authority,
  commonName: string,
  organizations: readonly string[],
  nowMs: number,
): Promise<KeyPair> {
  return issue(ca, { commonName, organizations, validity: validityFor(nowMs) });
}

function serviceAccountKeys(): ServiceAccountKeys {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

export function kubeconfigText(server: string, ca: Authority, user: KeyPair): string {
  return formatKubeconfig({ name: "testenv", server, ca: ca.cert, cert: user.cert, key: user.key });
}
