/**
 * How clients get in: TLS of several kinds, unix sockets, IPv6, HTTP on ports of its own, origins and
 * hosts, the config file, the environment.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { connect } from "node:tls";
import { type ClientTls, createClient, dial, etcd } from "@nanokube/rpc";
import { describe, expect, test } from "vitest";
import { freePort } from "../../conformance/src/subjects/free-ports.ts";
import { cleanups, run, temporary, urlFlags } from "./program.ts";

const patient = { waitForReady: true, timeoutMs: 20_000 };

function open(url: string, tls?: ClientTls) {
  const channel = dial(url, { tls });
  cleanups.push(() => channel.close());
  return {
    kv: createClient(channel, etcd.KV),
    auth: createClient(channel, etcd.Auth),
  };
}

const serving = (url: string, tls?: ClientTls) =>
  open(url, tls).kv.range({ key: Buffer.from("a") }, patient);

/** A certificate that signs itself, or that `ca` signs; `host` is a name of its own. */
function certificate(
  at: string,
  name: string,
  ca?: string,
  host = "localhost",
): { cert: string; key: string } {
  const [key, cert] = [join(at, `${name}.key`), join(at, `${name}.pem`)];
  const subject = ["-subj", `/CN=${name}`, "-days", "2", "-nodes"];
  const names = ["-addext", `subjectAltName=DNS:${host},IP:127.0.0.1,IP:::1`];
  const curve = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(" ");
  const signed = ca === undefined ? [] : ["-CA", `${ca}.pem`, "-CAkey", `${ca}.key`];
  const args = [...curve, ...subject, ...names, ...signed, "-keyout", key, "-out", cert];
  execFileSync("openssl", args, { stdio: "ignore" });
  return { cert, key };
}

/** Does anything answer HTTP there to the holder of this certificate? */
function speaks(port: number, { cert, key }: { cert: string; key: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const own = { cert: readFileSync(cert), key: readFileSync(key) };
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...own });
    cleanups.push(() => {
      socket.destroy();
    });
    socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    socket.on("data", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
  });
}

describe("TLS", () => {
  test("--auto-tls makes a certificate for its addresses, and keeps it", async () => {
    const dataDir = temporary();
    const url = `https://127.0.0.1:${await freePort()}`;
    const fixture = join(dataDir, "fixtures", "client", "cert.pem");
    const times: number[] = [];
    for (let round = 0; round < 2; round++) {
      const { child, exited } = run(["--data-dir", dataDir, "--auto-tls", ...urlFlags(url)]);
      await serving(url, { insecureSkipVerify: true });
      await serving(url, { ca: readFileSync(fixture) });
      times.push(statSync(fixture).mtimeMs);
      child.kill("SIGTERM");
      await exited;
    }
    expect(times[0]).toBe(times[1]);
  });

  test("of the certificates of its CA, those of an allowed host name get in", async () => {
    const at = temporary();
    const ca = join(at, "ca");
    certificate(at, "ca");
    const server = certificate(at, "server", ca);
    const clients = ["good.example", "bad.example"].map((host) => {
      const { cert, key } = certificate(at, host.split(".")[0]!, ca, host);
      return { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(`${ca}.pem`) };
    });
    const url = `https://127.0.0.1:${await freePort()}`;
    run([
      ...["--data-dir", join(at, "data"), "--client-cert-auth", "--trusted-ca-file", `${ca}.pem`],
      ...["--cert-file", server.cert, "--key-file", server.key, ...urlFlags(url)],
      ...["--client-cert-allowed-hostname", "other.example,good.example"],
    ]);
    await serving(url, clients[0]);
    const refused = open(url, clients[1]).kv.range({ key: Buffer.from("a") }, { timeoutMs: 5000 });
    await expect(refused).rejects.toMatchObject({ code: 14 });
  });

  test("members with certificates of their own making find each other", async () => {
    const at = temporary();
    const names = ["a", "b"];
    const ports = await Promise.all(names.flatMap(() => [freePort(), freePort()]));
    const peers = names.map((name, i) => `${name}=https://127.0.0.1:${ports[2 * i]}`);
    for (const [i, name] of names.entries()) {
      const peer = peers[i]!.slice(2);
      run(
        [
          ...["--name", name, "--data-dir", join(at, name), "--peer-auto-tls"],
          ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
          ...[
            "--initial-cluster",
            peers.join(),
            ...urlFlags(`http://127.0.0.1:${ports[2 * i + 1]}`),
          ],
        ],
        { ETCD_LISTEN_PEER_URLS: "" },
      );
    }
    await serving(`http://127.0.0.1:${ports[3]}`);
  });

  test("a member whose common name is not allowed does not get in", async () => {
    const at = temporary();
    const ca = join(at, "ca");
    certificate(at, "ca");
    const own = certificate(at, "member", ca);
    const [peer, client] = [await freePort(), await freePort()];
    const peerURL = `https://127.0.0.1:${peer}`;
    run(
      [
        ...[
          "--data-dir",
          join(at, "data"),
          "--peer-cert-file",
          own.cert,
          "--peer-key-file",
          own.key,
        ],
        ...["--peer-trusted-ca-file", `${ca}.pem`, "--peer-cert-allowed-cn", "member"],
        ...["--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL],
        ...["--initial-cluster", `default=${peerURL}`, ...urlFlags(`http://127.0.0.1:${client}`)],
      ],
      { ETCD_LISTEN_PEER_URLS: "" },
    );
    await serving(`http://127.0.0.1:${client}`);
    const stranger = certificate(at, "stranger", ca);
    expect(await speaks(peer, own)).toBe(true);
    expect(await speaks(peer, stranger)).toBe(false);
  });

  test("a certificate that is replaced serves the next handshake, without a restart", async () => {
    const at = temporary();
    const first = certificate(at, "first");
    const second = certificate(at, "second");
    const port = await freePort();
    const url = `https://127.0.0.1:${port}`;
    const [cert, key] = [join(at, "cert.pem"), join(at, "key.pem")];
    const install = ({ cert: from, key: fromKey }: { cert: string; key: string }) => {
      writeFileSync(key, readFileSync(fromKey));
      writeFileSync(cert, readFileSync(from));
    };
    install(first);
    run(["--data-dir", join(at, "data"), "--cert-file", cert, "--key-file", key, ...urlFlags(url)]);
    await serving(url, { ca: readFileSync(cert) });
    expect(await commonName(port)).toBe("first");
    install(second);
    utimesSync(cert, new Date(), new Date(Date.now() + 5000));
    expect(await commonName(port)).toBe("second");
  });

  test("the common name of a client's certificate is its user, and only with --client-cert-auth", async () => {
    const at = temporary();
    const ca = certificate(at, "ca");
    const server = certificate(at, "server", join(at, "ca"));
    const [root, ann] = ["root", "ann"].map((name) => certificate(at, name, join(at, "ca")));
    const url = `https://127.0.0.1:${await freePort()}`;
    const files = ["--cert-file", server.cert, "--key-file", server.key];
    const trust = ["--trusted-ca-file", ca.cert, "--client-cert-auth", "--bcrypt-cost", "4"];
    run(["--data-dir", join(at, "data"), ...files, ...trust, ...urlFlags(url)]);
    const as = (who: { cert: string; key: string }): ClientTls => ({
      ca: readFileSync(ca.cert),
      cert: readFileSync(who.cert),
      key: readFileSync(who.key),
    });
    const admin = open(url, as(root!));
    await admin.auth.roleAdd({ name: "root" }, patient);
    await admin.auth.userAdd({ name: "root", password: "x" });
    await admin.auth.userGrantRole({ user: "root", role: "root" });
    await admin.auth.userAdd({ name: "ann", options: { noPassword: true } });
    await admin.auth.authEnable({});
    const key = Buffer.from("a");
    await admin.kv.put({ key });
    const denied = { code: 7, details: "etcdserver: permission denied" };
    await expect(open(url, as(ann!)).kv.range({ key })).rejects.toMatchObject(denied);
    // The gateway speaks for whoever reaches it: a name on its certificate would be nobody's.
    const gateway = ["-s", "--cacert", ca.cert, "--cert", root!.cert, "--key", root!.key];
    const answer = execFileSync("curl", [...gateway, `${url}/v3/kv/range`, "-d", "{}"]).toString();
    expect(answer).toContain("CommonName of client sending a request against gateway");
  });

  test("JSON Web Tokens: signed, checked, and worth nothing from another key", async () => {
    const at = temporary();
    const { key } = certificate(at, "jwt");
    const url = `http://127.0.0.1:${await freePort()}`;
    const token = ["--auth-token", `jwt,priv-key=${key},sign-method=ES256,ttl=1h`];
    run(["--data-dir", join(at, "data"), ...token, "--bcrypt-cost", "4", ...urlFlags(url)]);
    const { auth, kv } = open(url);
    await auth.roleAdd({ name: "root" }, patient);
    await auth.userAdd({ name: "root", password: "x" });
    await auth.userGrantRole({ user: "root", role: "root" });
    await auth.authEnable({});
    const given = (await auth.authenticate({ name: "root", password: "x" })).token;
    const [, claims] = given.split(".").map((part) => Buffer.from(part, "base64url").toString());
    expect(JSON.parse(claims!)).toMatchObject({ username: "root", revision: 4 });
    const range = (text: string) =>
      kv.range({ key: Buffer.from("a") }, { metadata: { token: text } });
    await range(given);
    await range(given);
    const invalid = { code: 16, details: "etcdserver: invalid auth token" };
    await expect(range(`${given.slice(0, -8)}AAAAAAAA`)).rejects.toMatchObject(invalid);
    // Users change: what the token was given for is no more.
    await auth.roleAdd({ name: "another" }, { metadata: { token: given } });
    const old = { code: 3, details: "etcdserver: revision of auth store is old" };
    await expect(range(given)).rejects.toMatchObject(old);
  });
});

function commonName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

describe("where it listens", () => {
  test("IPv6, and a unix socket with TLS", async () => {
    const at = temporary();
    const { cert, key } = certificate(at, "server");
    const inet6 = `http://[::1]:${await freePort()}`;
    const path = join(at, "etcd.sock");
    const listen = ["--listen-client-urls", `${inet6},unixs://${path}`];
    const tls = ["--cert-file", cert, "--key-file", key];
    const advertise = ["--advertise-client-urls", inet6];
    run(["--data-dir", join(at, "data"), ...listen, ...advertise, ...tls]);
    await serving(inet6);
    const name = await new Promise((resolve, reject) => {
      const socket = connect({ path, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().subject.CN);
        socket.destroy();
      });
      socket.on("error", reject);
    });
    expect(name).toBe("server");
  });

  test("HTTP on ports of its own; metrics on another, and nothing else there", async () => {
    const [client, http, metrics] = await Promise.all([freePort(), freePort(), freePort()]);
    const url = (port: number) => `http://127.0.0.1:${port}`;
    const flags = ["--listen-client-http-urls", url(http), "--listen-metrics-urls", url(metrics)];
    run(["--data-dir", temporary(), ...flags, ...urlFlags(url(client))]);
    await serving(url(client));
    expect((await fetch(`${url(http)}/version`)).status).toBe(200);
    await expect(fetch(`${url(client)}/version`)).rejects.toThrow();
    await expect(open(url(http)).kv.range({ key: Buffer.from("a") })).rejects.toMatchObject({
      code: 12,
      details: "unknown service etcdserverpb.KV",
    });
    expect((await fetch(`${url(metrics)}/metrics`)).status).toBe(200);
    expect((await fetch(`${url(metrics)}/health`)).status).toBe(200);
    expect((await fetch(`${url(metrics)}/version`)).status).toBe(404);
    const write = { method: "POST", body: '{"key":"YQ=="}' };
    expect((await fetch(`${url(metrics)}/v3/kv/put`, write)).status).toBe(404);
  });

  test("origins, hosts, and a gateway that is off", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const flags = ["--cors", "http://a.example", "--host-whitelist", "127.0.0.1"];
    const gateway = ["--enable-grpc-gateway=false"];
    run(["--data-dir", temporary(), ...flags, ...gateway, ...urlFlags(url)]);
    await serving(url);
    const from = async (origin: string) => {
      const { headers } = await fetch(`${url}/version`, { headers: { origin } });
      return headers.get("access-control-allow-origin");
    };
    expect(await from("http://a.example")).toBe("http://a.example");
    expect(await from("http://b.example")).toBeNull();
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { host: "evil.example" };
      get(`${url}/version`, { headers }, ({ statusCode }) => resolve(statusCode!)).on(
        "error",
        reject,
      );
    });
    expect(status).toBe(421);
    expect((await fetch(`${url}/v3/kv/range`, { method: "POST", body: "{}" })).status).toBe(404);
  });
});

describe("settings", () => {
  test("a config file says it all; flags beside it say nothing", async () => {
    const at = temporary();
    const { cert, key } = certificate(at, "server");
    const url = `https://127.0.0.1:${await freePort()}`;
    const file = join(at, "etcd.yml");
    writeFileSync(
      file,
      `name: from-file
data-dir: ${join(at, "data")}
listen-peer-urls: http://127.0.0.1:0
listen-client-urls: ${url}
advertise-client-urls: ${url}
initial-cluster: from-file=http://localhost:2380
wal-dir:
max-txn-ops: 2
client-transport-security:
  cert-file: ${cert}
  key-file: ${key}
  client-cert-auth: false
log-outputs: [stderr]
`,
    );
    run(["--config-file", file, "--name", "from-flags"]);
    const tls = { ca: readFileSync(cert) };
    await serving(url, tls);
    const success = ["a", "b", "c"].map((k) => ({ requestPut: { key: Buffer.from(k) } }));
    await expect(open(url, tls).kv.txn({ success })).rejects.toMatchObject({
      details: "etcdserver: too many operations in txn request",
    });
  });

  test.each([
    ["listen-client-urls: nope", "URL scheme must be http, https, unix, or unixs: nope"],
    ["nonsense: 1", "flag provided but not defined: -nonsense"],
    ["memory-mlock: true", "flag -memory-mlock is not implemented by etcd-lite"],
    ["enable-pprof: true", "flag -enable-pprof is not implemented by etcd-lite"],
    ["a: [", "error converting YAML to JSON"],
    ["- a", "error unmarshaling configuration"],
  ])("a wrong config file is refused in one line: %j", async (text, message) => {
    const file = join(temporary(), "etcd.yml");
    writeFileSync(file, text);
    const refused = run(["--config-file", file]);
    expect(await refused.exited).toBeGreaterThan(0);
    expect(refused.output).toContain(message);
    expect(refused.output.trim().split("\n")).toHaveLength(1);
  });

  test.each([
    [["--name", "a"], { ETCD_NAME: "b" }, "conflicting environment variable ETCD_NAME is shadowed"],
    [["--feature-gates", "Foo=true"], {}, "unrecognized feature gate: Foo"],
    [["--feature-gates", "LeaseCheckpoint"], {}, "missing bool value for LeaseCheckpoint"],
    [["--auth-token", "jwt,sign-method=XX"], {}, "auth: invalid auth options"],
    [["--auth-token", "jwt,sign-method=RS256"], {}, "auth: missing key data"],
    [["--cert-file", "/nowhere", "--key-file", "/nowhere"], {}, "no such file or directory"],
    [["--config-file", "/nowhere.yml"], {}, "open /nowhere.yml: no such file or directory"],
  ])("%j with %j is refused", async (flags, env, message) => {
    const refused = run(["--data-dir", join(temporary(), "d"), ...flags], env);
    expect(await refused.exited).toBe(
      message.includes("feature") || message.includes("bool") ? 2 : 1,
    );
    expect(refused.output).toContain(message);
  });
});
