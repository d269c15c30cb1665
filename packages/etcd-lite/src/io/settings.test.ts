/**
 * What etcd 3.6.8 says to flags that do not fit, and how it ends: seen on the program, kept here.
 */
import { describe, expect, test } from "vitest";
import { FlagError, parseFlags, unknownVariables } from "../core/flags.ts";
import { createProgramLog } from "./program-log.ts";
import { readSettings } from "./settings.ts";

type Env = Record<string, string>;

async function start(argv: readonly string[], env: Env = {}) {
  const flags = parseFlags(argv, env);
  createProgramLog(flags);
  return readSettings(flags, 0);
}

async function faultOf(argv: readonly string[], env: Env = {}) {
  try {
    await start(argv, env);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return [error.exitCode, error.message];
  }
  return undefined;
}

const invalid = (flag: string, why = "parse error") => {
  const [name, value] = flag.slice(2).split(/=(.*)/s);
  return `invalid value "${value}" for flag -${name}: ${why}`;
};

const refused: readonly (readonly [flags: string, code: 1 | 2, text: string])[] = [
  ["--cipher-suites=NONSENSE", 1, 'unexpected TLS cipher suite "NONSENSE"'],
  [
    "--cipher-suites=TLS_AES_128_GCM_SHA256 --tls-min-version=TLS1.3",
    1,
    "cipher suites cannot be configured when only TLS1.3 is enabled",
  ],
  ["--corrupt-check-time=x", 2, invalid("--corrupt-check-time=x")],
  ["--compact-hash-check-time=0s", 1, "--compact-hash-check-time must be >0 (set to 0s)"],
  [
    "--experimental-initial-corrupt-check --feature-gates=InitialCorruptCheck=true",
    1,
    "cannot specify both flags: --experimental-initial-corrupt-check=true and --feature-gates=InitialCorruptCheck=true at the same time, please just use --feature-gates=InitialCorruptCheck=true",
  ],
  [
    "--feature-gates=Nonsense=true",
    2,
    invalid("--feature-gates=Nonsense=true", "unrecognized feature gate: Nonsense"),
  ],
  [
    "--feature-gates=InitialCorruptCheck=x",
    2,
    invalid(
      "--feature-gates=InitialCorruptCheck=x",
      'invalid value of InitialCorruptCheck=x, err: strconv.ParseBool: parsing "x": invalid syntax',
    ),
  ],
  ...[
    "--experimental-enable-lease-checkpoint-persist",
    "--feature-gates=LeaseCheckpointPersist=true",
  ].map(
    (flag) =>
      [
        flag,
        1,
        "enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint",
      ] as const,
  ),
  ["--experimental-nonsense", 2, "flag provided but not defined: -experimental-nonsense"],
  ["--experimental-max-learners=2", 2, "flag provided but not defined: -experimental-max-learners"],
  ["--local-address=1", 2, "flag provided but not defined: -local-address"],
  ["--name", 2, "flag needs an argument: -name"],
  ["--pre-vote=maybe", 2, 'invalid boolean value "maybe" for -pre-vote: parse error'],
  ["--quota-backend-bytes=x", 2, invalid("--quota-backend-bytes=x")],
  ["--max-txn-ops=-1", 2, invalid("--max-txn-ops=-1")],
  ["--initial-cluster-state=x", 2, invalid("--initial-cluster-state=x", "invalid value")],
  ["--v2-deprecation=x", 2, invalid("--v2-deprecation=x", "invalid value")],
  [
    "--listen-client-urls=x",
    2,
    invalid("--listen-client-urls=x", "URL scheme must be http, https, unix, or unixs: x"),
  ],
  ["--log-format=x", 1, "unknown log format: x, supported values json, console"],
  ["--logger=x", 1, 'unknown logger option "x"'],
  ["--auto-compaction-mode=x", 1, 'unknown auto-compaction-mode "x"'],
  [
    "--auto-compaction-retention=x",
    1,
    'error parsing CompactionRetention: time: invalid duration "x"',
  ],
  [
    "--tls-min-version=TLS1.1",
    1,
    'unexpected TLS version "TLS1.1" (must be one of: TLS1.2, TLS1.3)',
  ],
  [
    "--tls-min-version=TLS1.3 --tls-max-version=TLS1.2",
    1,
    "min version (TLS1.3) is greater than max version (TLS1.2)",
  ],
  ["--heartbeat-interval=0", 1, "--heartbeat-interval must be >0 (set to 0ms)"],
  [
    "--heartbeat-interval=300",
    1,
    "--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[300ms]",
  ],
  [
    "--election-timeout=60000",
    1,
    "--election-timeout[60000ms] is too long, and should be set less than 50000ms",
  ],
  [
    "--initial-cluster=a=http://127.0.0.1:2380",
    1,
    `couldn't find local name "default" in the initial cluster configuration`,
  ],
  [
    "--name=x --initial-cluster=x=http://127.0.0.1:1",
    1,
    '--initial-cluster has x=http://127.0.0.1:1 but missing from --initial-advertise-peer-urls=http://localhost:2380 (resolved urls: "http://localhost:2380" != "http://127.0.0.1:1")',
  ],
  [
    "--warning-unary-request-duration=1s --experimental-warning-unary-request-duration=1s",
    1,
    "both --experimental-warning-unary-request-duration and --warning-unary-request-duration flags are set. Use only --warning-unary-request-duration",
  ],
  [
    "--corrupt-check-time=1s --experimental-corrupt-check-time=1s",
    1,
    "cannot set --experimental-corrupt-check-time and --corrupt-check-time at the same time, please use --corrupt-check-time only",
  ],
  [
    "--listen-client-urls=http://127.0.0.1:1",
    1,
    "--advertise-client-urls is required when --listen-client-urls is set explicitly",
  ],
  [
    "--enable-log-rotation",
    1,
    "--log-outputs requires a single file path when --log-rotate-config-json is defined",
  ],
  [
    "--enable-log-rotation --log-outputs=/a.log,/b.log",
    1,
    "--log-outputs requires a single file path when --log-rotate-config-json is defined",
  ],
  [
    '--enable-log-rotation --log-outputs=/a.log --log-rotation-config-json={"maxsize":"a"}',
    1,
    "invalid log rotation config: json: cannot unmarshal string into Go struct field logRotationConfig.Logger.maxsize of type int",
  ],
  [
    "--enable-log-rotation --log-outputs=/a.log --log-rotation-config-json=[]",
    1,
    "invalid log rotation config: json: cannot unmarshal array into Go value of type embed.logRotationConfig",
  ],
  [
    "--peer-cert-allowed-cn=a,c --peer-cert-allowed-hostname=b",
    1,
    'AllowedCNs and AllowedHostnames are mutually exclusive (cns=["a" "c"], hostnames=["b"])',
  ],
  [
    "--discovery-srv=x.invalid --initial-cluster=a=http://1.2.3.4:1",
    1,
    'multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery", "discovery-endpoints" or "discovery-srv"',
  ],
  ["--max-concurrent-streams=-1", 2, invalid("--max-concurrent-streams=-1")],
  [
    "--peer-auto-tls --self-signed-cert-validity=0",
    1,
    "selfSignedCertValidity is invalid,it should be greater than 0",
  ],
  ["gateway", 1, '"gateway" is not a valid flag'],
];

describe("refused in etcd's words", () => {
  test.each(refused)("%s", async (flags, code, text) => {
    expect(await faultOf(flags.split(" "))).toEqual([code, text]);
  });
});

const accepted = `--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 --wal-dir=/elsewhere
  --force-new-cluster --experimental-corrupt-check-time=1s --compact-hash-check-time=1m
  --experimental-initial-corrupt-check --feature-gates=AllAlpha=true --max-learners=2
  --snapshot-catchup-entries=10 --log-format=console --log-level=panic --log-outputs=stdout
  --metrics=x --metrics=extensive --max-concurrent-streams=7 --grpc-keepalive-min-time=1s
  --socket-reuse-port --socket-reuse-address --warning-apply-duration=1s
  --client-cert-allowed-hostname=a --grpc-keepalive-interval=0s --memory-mlock=false --v2-deprecation=gone
  --backend-bbolt-freelist-type=x --max-txn-ops=0 --bcrypt-cost=99 --self-signed-cert-validity=0
  --downgrade-check-time=0s --bootstrap-defrag-threshold-megabytes=1 --raft-read-timeout=1s
  --peer-skip-client-san-verification --snapshot-count=0 --auth-token-ttl=0
  --experimental-warning-apply-duration=1s --experimental-compaction-batch-limit=3
  --experimental-txn-mode-write-with-shared-buffer=false --log-rotation-config-json={}
  --grpc-keepalive-timeout=20s --discovery=`;

test.each(accepted.trim().split(/\s+/))("taken, as by etcd: %s", async (flag) => {
  expect(await faultOf([flag])).toBeUndefined();
});

test("old names mean what the new ones do, and gates what the old flags did", async () => {
  const flags = "--experimental-corrupt-check-time=2s --experimental-compact-hash-check-enabled";
  const { options } = await start(flags.split(" "));
  const corruption = { checkEveryMs: 2000, compactHashCheckMs: 60_000, initialCheck: false };
  expect(options).toMatchObject({ corruption });
  const gated = await start(["--feature-gates", "AllAlpha=true,CompactHashCheck=false"]);
  const other = { checkEveryMs: 0, compactHashCheckMs: 0, initialCheck: true };
  expect(gated.options).toMatchObject({ corruption: other });
});

test("what one client may ask of its connection", async () => {
  const keepAlive = { intervalMs: 7_200_000, timeoutMs: 20_000 };
  expect((await start([])).options.connections).toEqual({ pingMinMs: 5000, keepAlive });
  const flags =
    "--max-concurrent-streams=7 --grpc-keepalive-min-time=0s --grpc-keepalive-timeout=0s";
  const { options } = await start(flags.split(" "));
  expect(options.connections).toEqual({ streamsMax: 7, pingMinMs: 300_000 });
});

test("alone or not, other members find it on 2380", async () => {
  expect((await start([])).cluster.peerListenURLs).toEqual(["http://localhost:2380"]);
});

describe("the environment", () => {
  test("a wrong value names its variable; one given twice is refused", async () => {
    const wrong = 'invalid value "x" for ETCD_MAX_TXN_OPS: parse error';
    expect(await faultOf([], { ETCD_MAX_TXN_OPS: "x" })).toEqual([1, wrong]);
    const twice =
      "conflicting environment variable ETCD_NAME is shadowed by corresponding command-line flag (either unset environment variable or disable flag)";
    expect(await faultOf(["--name=a"], { ETCD_NAME: "b" })).toEqual([1, twice]);
  });

  test("a config file silences both it and the flags", () => {
    const flags = parseFlags([], { ETCD_CONFIG_FILE: "f.yml", ETCD_NAME: "n" });
    expect(flags).toEqual({ "config-file": "f.yml" });
  });

  test("variables that are none of its own are told of", () => {
    const env = { ETCD_NAME: "a", ETCD_NAEM: "b", ETCDCTL_API: "3", HOME: "/" };
    expect(unknownVariables(env)).toEqual(["ETCD_NAEM=b"]);
  });
});
