/** Kubeconfigs, good and bad, in kubectl's words. */
import { describe, expect, test } from "vitest";
import { kubeconfigToRestConfig, parseKubeconfig } from "./kubeconfig.ts";

const files: Record<string, string> = {
  "/etc/k/ca.crt": "CA",
  "/etc/k/c.crt": "CRT",
  "/etc/k/c.key": "KEY",
};
const source = {
  path: "/etc/k/config",
  readFile: (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`open ${path}: no such file or directory`);
    return text;
  },
  resolve: (path: string) => (path.startsWith("/") ? path : `/etc/k/${path}`),
};

const config = (parts: { cluster?: string; user?: string; context?: string }) => `
apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: ${parts.cluster ?? "{server: 'https://10.0.0.1:6443'}"}}]
users: [{name: u, user: ${parts.user ?? "{token: abc}"}}]
contexts: [{name: one, context: ${parts.context ?? "{cluster: c, user: u}"}}]
`;

const load = (text: string, context?: string) =>
  kubeconfigToRestConfig(parseKubeconfig(text, source.path), source, context);

describe("kubeconfig", () => {
  test("inline data, files, tokens, namespaces and impersonation", () => {
    expect(load(config({}))).toEqual({
      server: "https://10.0.0.1:6443",
      token: "abc",
      namespace: "default",
    });
    const text = config({
      cluster: "{server: 'https://h/', certificate-authority: ca.crt, tls-server-name: k}",
      user: `{client-certificate: c.crt, client-key-data: ${btoa("INLINE")}, as: jane, as-groups: [dev]}`,
      context: "{cluster: c, user: u, namespace: shop}",
    });
    expect(load(text)).toMatchObject({
      server: "https://h",
      caData: "CA",
      certData: "CRT",
      keyData: "INLINE",
      tlsServerName: "k",
      namespace: "shop",
      impersonate: { user: "jane", groups: ["dev"] },
    });
  });

  test.each([
    ["a context that is not there", config({}), "x", 'context "x" does not exist'],
    [
      "a cluster that is not there",
      config({ context: "{cluster: z}" }),
      undefined,
      'cluster "z" does not exist',
    ],
    [
      "a user that is not there",
      config({ context: "{cluster: c, user: z}" }),
      undefined,
      'auth info "z" does not exist',
    ],
    [
      "an exec plugin",
      config({ user: "{exec: {command: aws}}" }),
      undefined,
      'user "u" gets its credentials by exec, which nanokube does not support',
    ],
    ["no server", config({ cluster: "{}" }), undefined, 'no server found for cluster "c"'],
    [
      "a file that is not there",
      config({ cluster: "{server: 'https://h', certificate-authority: no.crt}" }),
      undefined,
      "unable to read certificate-authority /etc/k/no.crt",
    ],
    [
      "a certificate without its key",
      config({ user: "{client-certificate: c.crt}" }),
      undefined,
      "client-key-data or client-key must be specified for u",
    ],
    ["an empty file", "", undefined, "no configuration has been provided"],
    ["text that is no object", "hello", undefined, 'error loading config file "/etc/k/config"'],
    ["text that is no YAML", "a: [", undefined, 'error loading config file "/etc/k/config"'],
  ])("%s", (_, text, context, message) => {
    expect(() => load(text, context)).toThrow(message);
  });
});
