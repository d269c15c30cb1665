/** Flags: what they change, and refusals of values that would change nothing. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseFlags } from "../src/io/flags.ts";
import { optionsFromFlags } from "../src/io/options-from-flags.ts";

describe("flags", () => {
  let directory: string;
  let needed: string[];
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "nanokube-flags-"));
    const file = join(directory, "pem");
    writeFileSync(file, "a PEM");
    needed = [
      "--etcd-servers=http://127.0.0.1:1",
      "--service-account-issuer=i",
      ...["--tls-cert-file", "--tls-private-key-file", "--service-account-signing-key-file"].map(
        (flag) => `${flag}=${file}`,
      ),
    ];
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const read = async (...given: string[]) => {
    const deps = { clock: systemClock, random: systemRandom, log: nullLog };
    return (await optionsFromFlags(parseFlags([...needed, ...given]), deps)).server;
  };

  test("kube-apiserver's defaults", async () => {
    expect(await read()).toMatchObject({
      bootstrapTokens: false,
      endpointReconciler: "lease",
      serverCount: 1,
      requestHeaders: { usernameHeaders: [], groupHeaders: [] },
      authorizationMode: ["AlwaysAllow"],
    });
    expect((await read()).nodePortRange).toBeUndefined();
  });

  test.each([
    ["--service-node-port-range=31000-31009", { nodePortRange: { first: 31000, last: 31009 } }],
    ["--service-node-port-range=31000+9", { nodePortRange: { first: 31000, last: 31009 } }],
    ["--enable-bootstrap-token-auth", { bootstrapTokens: true }],
    ["--endpoint-reconciler-type=none", { endpointReconciler: "none" }],
    [
      "--endpoint-reconciler-type=master-count --apiserver-count=3",
      { endpointReconciler: "master-count", serverCount: 3 },
    ],
    ["--feature-gates=EventedPLEG=true,SchedulerAsyncPreemption=false", {}],
    [
      "--tls-min-version=VersionTLS13 --disable-http2-serving --http2-max-streams-per-connection=9",
      { serving: { minVersion: "TLSv1.3", http2: false, streamsMax: 9 } },
    ],
    [
      "--storage-backend=etcd3 --goaway-chance=0 --logging-format=json --vmodule= --etcd-compaction-interval=5m0s --emulated-version=1.36 --livez-grace-period=0s --watch-cache-sizes=pods#100",
      {},
    ],
    [
      "--requestheader-username-headers=X-A,X-B",
      { requestHeaders: { usernameHeaders: ["X-A", "X-B"] } },
    ],
    ["--requestheader-uid-headers=X-U", { requestHeaders: { uidHeaders: ["X-U"] } }],
    ["--requestheader-group-headers=X-G", { requestHeaders: { groupHeaders: ["X-G"] } }],
    [
      "--requestheader-extra-headers-prefix=X-E-",
      { requestHeaders: { extraHeaderPrefixes: ["X-E-"] } },
    ],
    ["--allow-privileged", { allowPrivileged: true }],
    ["--allow-privileged=false", { allowPrivileged: false }],
    ["--etcd-prefix=/registry", { etcdPrefix: "/registry" }],
    ["--etcd-prefix=other/place/", { etcdPrefix: "/other/place" }],
    ["--feature-gates=WatchList=true,kube:AllAlpha=false,ServiceAccountTokenJTI=1", {}],
  ])("%s", async (flag, want) => {
    expect(await read(...flag.split(" "))).toMatchObject(want);
  });

  test("what a plugin is told is read, or refused by name", async () => {
    const file = join(directory, "admission.yaml");
    const write = (name: string) =>
      writeFileSync(
        file,
        `plugins: [{ name: ${name}, configuration: { limits: [{ type: Server, qps: 1, burst: 2 }] } }]`,
      );
    const flags = [
      `--admission-control-config-file=${file}`,
      "--enable-admission-plugins=EventRateLimit",
    ];
    write("EventRateLimit");
    const { admission } = await read(...flags);
    expect(admission?.configurations?.get("EventRateLimit")).toEqual({
      limits: [{ type: "Server", qps: 1, burst: 2 }],
    });
    write("PodSecurity");
    await expect(read(...flags)).rejects.toThrow(
      "--admission-control-config-file: a configuration of PodSecurity is not supported",
    );
  });

  test("without a certificate it makes one, and keeps it", async () => {
    const deps = { clock: systemClock, random: systemRandom, log: nullLog };
    const own = [
      ...needed.filter((flag) => !flag.startsWith("--tls")),
      `--cert-dir=${directory}/c`,
    ];
    const pkiOf = async (...more: string[]) =>
      (await optionsFromFlags(parseFlags([...own, ...more]), deps)).server.pki;
    const made = await pkiOf("--advertise-address=10.1.2.3", "--bind-address=127.0.0.1");
    const certificate = new X509Certificate(made.servingCert!);
    expect(certificate.subject).toMatch(/^CN=10\.1\.2\.3@\d+$/);
    expect(certificate.issuer).toMatch(/^CN=10\.1\.2\.3-ca@\d+$/);
    expect(certificate.subjectAltName?.split(", ").sort()).toEqual([
      "DNS:kubernetes",
      "DNS:kubernetes.default",
      "DNS:kubernetes.default.svc",
      "IP Address:10.0.0.1",
      "IP Address:10.1.2.3",
      "IP Address:127.0.0.1",
    ]);
    expect(certificate.checkPrivateKey(createPrivateKey(made.servingKey!))).toBe(true);
    const [, authority = ""] = made.servingCert!.split(/(?<=END CERTIFICATE-----)/);
    expect(certificate.verify(new X509Certificate(authority).publicKey)).toBe(true);
    expect(await pkiOf("--advertise-address=10.9.9.9")).toEqual(made);
  });

  test.each([
    ["--feature-gates=Foo=true", "unrecognized feature gate: Foo"],
    [
      "--feature-gates=WatchList=x",
      'invalid value of WatchList=x, err: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    ["--feature-gates=WatchList", "missing bool value for WatchList"],
    [
      "--feature-gates=ServiceAccountTokenJTI=false",
      "cannot set feature gate ServiceAccountTokenJTI to false, feature is locked to true",
    ],
    [
      "--feature-gates=AllAlpha=true",
      "feature gate AllowUnsafeMalformedObjectDeletion=true is not supported: what it guards is as by default",
    ],
    [
      "--feature-gates=WorkloadWithJob=true",
      "feature gate WorkloadWithJob=true is not supported: what it guards is as by default",
    ],
    [
      "--feature-gates=GracefulNodeShutdown=false",
      "GracefulNodeShutdownBasedOnPodPriority is enabled, but depends on features that are disabled: [GracefulNodeShutdown]",
    ],
    [
      "--goaway-chance=0.01",
      '--goaway-chance "0.01" is not supported: connections are not ended for the sake of balance',
    ],
    [
      "--watch-cache-sizes=pods#10,nodes#0",
      '--watch-cache-sizes "pods#10,nodes#0" is not supported: every resource is cached',
    ],
    ["--tls-cipher-suites=TLS_X", "Cipher suite TLS_X not supported or doesn't exist"],
    ["--tls-min-version=TLS12", 'unknown tls version "TLS12"'],
    [
      "--strict-transport-security-directives=max-age",
      "--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information",
    ],
    ["--watch-cache=false", '--watch-cache "false" is not supported: every resource is cached'],
    [
      "--service-node-port-range=9-3",
      'invalid argument "9-3" for "--service-node-port-range" flag: unable to parse port range: 9-3',
    ],
    [
      "--endpoint-reconciler-type=other",
      '--endpoint-reconciler-type "other" invalid, allowed values: lease, master-count, none',
    ],
    [
      "--apiserver-count=0",
      "--apiserver-count should be a positive number, but value '0' provided",
    ],
    ["--no-such-flag", "unknown flag: --no-such-flag"],
    ["--enable-admission-plugins=Foo", 'enable-admission-plugins plugin "Foo" is unknown'],
    [
      "--disable-admission-plugins=Priority --enable-admission-plugins=Priority",
      "[Priority] in enable-admission-plugins and disable-admission-plugins overlapped",
    ],
    [
      "--enable-admission-plugins=ImagePolicyWebhook",
      'failed to initialize admission: couldn\'t init admission plugin "ImagePolicyWebhook": no config specified',
    ],
    [
      "--audit-log-path=x --audit-log-mode=x --audit-log-format=y --audit-log-maxage=-1",
      [
        'invalid audit log mode x, allowed modes are "batch,blocking,blocking-strict"',
        'invalid audit log format y, allowed formats are "legacy,json"',
        "--audit-log-maxage -1 can't be a negative number",
      ].join("\n"),
    ],
    [
      "--audit-webhook-config-file=x --audit-webhook-batch-throttle-qps=0",
      "invalid audit batch webhook throttle QPS 0, must be a positive number",
    ],
    [
      "--audit-log-path=x --audit-log-truncate-max-event-size=20000000",
      "invalid audit truncate log max batch size 10485760, must be greater than max event size (20000000)",
    ],
  ])("%s is refused", async (flag, message) => {
    await expect(read(...flag.split(" "))).rejects.toThrow(new Error(message));
  });
});
