/** Configurations that kube-apiserver 1.36.3 refuses, with what it says of them. */
import { parseYAML } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { providersOf, readEncryptionConfiguration } from "./encryption-configuration.ts";

const read = (resources: string) => {
  const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n";
  return readEncryptionConfiguration(parseYAML(`${head}resources:\n${resources}`));
};

const refused: readonly [string, string][] = [
  [
    `- resources: [secrets, '*.']
  providers: [{kms: {apiVersion: v2, name: 'a:b', endpoint: 'tcp://x', timeout: 0s, cachesize: 3}}]`,
    `error while parsing file: [resources[0].resources: Invalid value: ["secrets","*."]: using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked, resources[0].providers[0].kms.name: Invalid value: "a:b": invalid KMS provider name a:b, must not contain ':', resources[0].providers[0].kms.timeout: Invalid value: "0s": timeout should be a positive value, resources[0].providers[0].kms.endpoint: Invalid value: "tcp://x": unsupported scheme "tcp" for KMS provider, only unix is supported, resources[0].providers[0].kms.cachesize: Invalid value: 3: cachesize is not supported in v2]`,
  ],
  [
    `- resources: ['*', 'Secrets', 'x.*', 'a.extensions', 'events.events.k8s.io', 'apiserveripinfo']
  providers: [{aescbc: {keys: [{name: a, secret: zzz}, {secret: ''}, {name: b, secret: AAAA}]}}, {}]`,
    `error while parsing file: [resources[0].resources: Invalid value: ["*","Secrets","x.*","a.extensions","events.events.k8s.io","apiserveripinfo"]: using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked, resources[0].resources[0]: Invalid value: "*": use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources, resources[0].resources[1]: Invalid value: "Secrets": resource name should not contain capital letters, resources[0].resources[2]: Invalid value: "x.*": encrypting the same resource across groups is not supported, resources[0].resources[3]: Invalid value: "a.extensions": 'extensions' group has been removed and cannot be used for encryption, resources[0].resources[4]: Invalid value: "events.events.k8s.io": '*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file, resources[0].resources[5]: Invalid value: "apiserveripinfo": resources which do not have REST API/s cannot be encrypted, resources[0].providers[0].aescbc.keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded, resources[0].providers[0].aescbc.keys[1].name: Required value: name is a mandatory field for a key, resources[0].providers[0].aescbc.keys[1].secret: Required value: secret is a mandatory field for a key, resources[0].providers[0].aescbc.keys[2].secret: Invalid value: "REDACTED": secret is not of the expected length, got 3, expected one of [16 24 32], resources[0].providers[1]: Invalid value: {"AESGCM":null,"AESCBC":null,"Secretbox":null,"Identity":null,"KMS":null}: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity]`,
  ],
  [
    `- resources: ['*.*']
  providers: [{identity: {}}]
- resources: ['secrets']
  providers: [{identity: {}}]`,
    `error while building transformers: resource "secrets" is masked by earlier rule "*.*"`,
  ],
  [
    `- resources: ['secrets', secrets]
  providers: [{kms: {apiVersion: v3, name: '', endpoint: ''}}, {kms: {apiVersion: v1, name: k, endpoint: 'unix:///x'}},  {kms: {apiVersion: v2, name: k, endpoint: 'unix:///x'}}]`,
    `error while parsing file: [resources[0].resources: Invalid value: ["secrets","secrets"]: the same resource cannot be specified multiple times, resources[0].providers[0].kms.name: Required value: name is a mandatory field for a provider, resources[0].providers[0].kms.endpoint: Invalid value: "": endpoint is a mandatory field for a kms, resources[0].providers[0].kms.apiVersion: Invalid value: "v3": unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported, resources[0].providers[2].kms.name: Invalid value: "k": duplicate KMS provider name k, names must be unique]`,
  ],
  [
    `- resources: ['secrets']
  providers: [{kms: {apiVersion: v1, name: k, endpoint: 'unix:///x'}}]`,
    "error while building transformers: KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.",
  ],
  [
    `- resources: ['secrets']
  providers: [{identity: {}, aescbc: {keys: []}}, {secretbox: {keys: []}}]
- resources: []
  providers: []`,
    `error while parsing file: [resources[0].providers[0]: Invalid value: {"AESGCM":null,"AESCBC":{"Keys":[]},"Secretbox":null,"Identity":{},"KMS":null}: more than one provider specified in a single element, should split into different list elements, resources[0].providers[0].aescbc.keys: Required value: at least one keys is required, resources[0].providers[1].secretbox.keys: Required value: at least one keys is required, resources[1].resources: Required value: at least one resources[1].resources is required, resources[1].providers: Required value: at least one resources[1].providers is required]`,
  ],
];

test.each(refused)("refuses %s", (resources, text) => {
  expect(() => read(resources)).toThrow(new Error(text));
});

test("a resource's own name goes before its group, that before all", () => {
  const key = (fill: string) => `{keys: [{name: ${fill}, secret: '${btoa(fill.repeat(32))}'}]}`;
  const found = read(`- resources: [secrets, deployments.apps]
  providers: [{secretbox: ${key("a")}}]
- resources: ['*.']
  providers: [{secretbox: ${key("b")}}]
- resources: ['*.*']
  providers: [{secretbox: ${key("c")}}, {identity: {}}]`);
  const names = (group: string, plural: string) =>
    providersOf(found, group, plural)?.map((one) => ("keyName" in one ? one.keyName : one.type));
  expect(names("", "secrets")).toEqual(["a"]);
  expect(names("apps", "deployments")).toEqual(["a"]);
  expect(names("", "configmaps")).toEqual(["b"]);
  expect(names("apps", "replicasets")).toEqual(["c", "identity"]);
});
