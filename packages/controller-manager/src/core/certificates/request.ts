/**
 * What a certificate signing request must be for a signer to sign it.
 *
 * Source  pkg/apis/certificates/helpers.go, pkg/controller/certificates/signer/signer.go
 */
export const signers = {
  apiserverClient: "kubernetes.io/kube-apiserver-client",
  kubeletClient: "kubernetes.io/kube-apiserver-client-kubelet",
  kubeletServing: "kubernetes.io/kubelet-serving",
  legacyUnknown: "kubernetes.io/legacy-unknown",
} as const;

/** A PKCS#10 request, read. */
export interface ParsedRequest {
  commonName: string;
  organizations: string[];
  dnsNames: string[];
  ipAddresses: string[];
  emailAddresses: string[];
  uris: string[];
}

/** Why not, in upstream's words; undefined when it is fine. */
export function validateRequest(
  signerName: string,
  request: ParsedRequest,
  usages: readonly string[],
): string | undefined {
  switch (signerName) {
    case signers.kubeletClient:
      return validateKubeletClient(request, usages);
    case signers.kubeletServing:
      return validateKubeletServing(request, usages);
    case signers.apiserverClient:
      return validateClient(usages);
    default:
      return undefined;
  }
}

export function validateKubeletClient(
  request: ParsedRequest,
  usages: readonly string[],
): string | undefined {
  return (
    validateNodes(request) ??
    (request.dnsNames.length > 0 ? "DNS subjectAltNames are not allowed" : undefined) ??
    (request.emailAddresses.length > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (request.ipAddresses.length > 0 ? "IP subjectAltNames are not allowed" : undefined) ??
    (request.uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    validateNodeName(request) ??
    validateUsages(usages, "client auth")
  );
}

function validateKubeletServing(
  request: ParsedRequest,
  usages: readonly string[],
): string | undefined {
  const named = request.dnsNames.length + request.ipAddresses.length > 0;
  return (
    validateNodes(request) ??
    (named ? undefined : "DNS or IP subjectAltName is required") ??
    (request.emailAddresses.length > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (request.uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    validateUsages(usages, "server auth") ??
    validateNodeName(request)
  );
}

function validateNodes({ organizations }: ParsedRequest): string | undefined {
  const nodes = organizations.length === 1 && organizations[0] === "system:nodes";
  return nodes ? undefined : "subject organization is not system:nodes";
}

function validateNodeName({ commonName }: ParsedRequest): string | undefined {
  return commonName.startsWith("system:node:")
    ? undefined
    : "subject common name does not begin with system:node:";
}

function validateUsages(usages: readonly string[], auth: string): string | undefined {
  const all = ["digital signature", "key encipherment", auth];
  const given = new Set(usages);
  const fits = [all, all.filter((usage) => usage !== "key encipherment")].some(
    (wanted) => wanted.length === given.size && wanted.every((usage) => given.has(usage)),
  );
  if (fits) return undefined;
  return `usages did not match [${[...all].sort().join(" ")}]`;
}

function validateClient(usages: readonly string[]): string | undefined {
  const known = ["digital signature", "key encipherment", "client auth"];
  const other = usages.find((usage) => !known.includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth")
    ? undefined
    : "missing required usage for client certificate: client auth";
}
