/**
 * A kubeconfig with everything inline, so that the file works wherever it is copied.
 *
 * Source  client-go tools/clientcmd/api/v1 types
 */
export interface KubeconfigInput {
  name: string;
  server: string;
  /** PEM. */
  ca: string;
  cert: string;
  key: string;
}

export function formatKubeconfig(input: KubeconfigInput): string {
  const base64 = (pem: string) => Buffer.from(pem, "utf8").toString("base64");
  return [
    "apiVersion: v1",
    "kind: Config",
    `current-context: ${input.name}`,
    "clusters:",
    `- name: ${input.name}`,
    "  cluster:",
    `    server: ${input.server}`,
    `    certificate-authority-data: ${base64(input.ca)}`,
    "users:",
    `- name: ${input.name}`,
    "  user:",
    `    client-certificate-data: ${base64(input.cert)}`,
    `    client-key-data: ${base64(input.key)}`,
    "contexts:",
    `- name: ${input.name}`,
    "  context:",
    `    cluster: ${input.name}`,
    `    user: ${input.name}`,
    "",
  ].join("\n");
}
