/** Client certificates made by openssl: whose they are, and which are nobody's. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CheckedCertificate,
  certificateUser,
  createCertificateChecker,
} from "../src/core/authentication/certificate.ts";
import { openAuthorities } from "../src/io/certificate-authorities.ts";

describe("client certificates", () => {
  let directory: string;
  const path = (name: string) => join(directory, name);
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: directory, stdio: "ignore" });

  const newKey = (file: string) =>
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file] as const;

  function authority(name: string): string {
    openssl(
      "req",
      "-x509",
      ...newKey(`${name}.key`),
      "-subj",
      `/CN=${name}`,
      "-out",
      `${name}.crt`,
    );
    return readFileSync(path(`${name}.crt`), "utf8");
  }

  function user(
    subject: string,
    signer = "ca",
    extensions: string[] = [],
    more: string[] = [],
  ): Uint8Array {
    const added = extensions.flatMap((text) => ["-addext", text]);
    const request = ["-subj", subject, "-multivalue-rdn", ...added, ...more, "-out", "user.csr"];
    openssl("req", ...newKey("user.key"), ...request);
    const by = ["-CA", `${signer}.crt`, "-CAkey", `${signer}.key`, "-copy_extensions", "copyall"];
    openssl("x509", "-req", "-in", "user.csr", ...by, "-out", "user.crt");
    return new X509Certificate(readFileSync(path("user.crt"))).raw;
  }

  let ca: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "nanokube-certificates-"));
    ca = authority("ca");
    authority("stranger");
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const check = (der: Uint8Array) => createCertificateChecker(openAuthorities, ca)(der);

  it("reads the common name and every organization", () => {
    const der = user("/O=system:masters/O=readers/CN=jane");
    expect(check(der)).toMatchObject({
      commonName: "jane",
      organizations: ["system:masters", "readers"],
      fingerprint: execFileSync("sha256sum", { input: der }).toString().slice(0, 64),
    });
  });

  it("takes nothing for a group that stands inside another value", () => {
    const der = user("/CN=jane, O=system:masters\\+O=system:masters");
    expect(check(der)).toMatchObject({
      commonName: "jane, O=system:masters+O=system:masters",
      organizations: [],
    });
  });

  it("takes the last of several common names, as Go does", () => {
    expect(check(user("/CN=first/CN=last"))?.commonName).toBe("last");
  });

  it("takes the uid a certificate says once, and nobody whom it says twice", () => {
    writeFileSync(
      path("uid.cnf"),
      "oid_section=o\n[o]\nkubeUID=1.3.6.1.4.1.57683.2\n[req]\ndistinguished_name=d\n[d]\n",
    );
    const withUIDs = (subject: string) =>
      check(user(subject, "ca", [], ["-config", "uid.cnf"])) as CheckedCertificate;
    const one = withUIDs("/CN=jane/kubeUID=u-1");
    expect(certificateUser(one, true)).toMatchObject({ name: "jane", uid: "u-1" });
    expect(certificateUser(one, false)).not.toHaveProperty("uid");
    const two = withUIDs("/CN=jane/kubeUID=u-1/kubeUID=u-2");
    expect(() => certificateUser(two, true)).toThrow(
      "expected 1 UID, but found multiple: [u-1 u-2]",
    );
  });

  it("knows nobody whom another authority signed, whatever its name", () => {
    expect(check(user("/CN=jane", "stranger"))).toBeUndefined();
  });

  it("knows no server's certificate, but any that says clientAuth or nothing", () => {
    expect(check(user("/CN=s", "ca", ["extendedKeyUsage=serverAuth"]))).toBeUndefined();
    const both = user("/CN=b", "ca", ["extendedKeyUsage=serverAuth,clientAuth"]);
    expect(check(both)?.commonName).toBe("b");
    expect(check(user("/CN=n"))?.commonName).toBe("n");
  });
});
