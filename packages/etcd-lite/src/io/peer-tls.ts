/**
 * TLS between members: what one serves with, and what it shows when it calls another.
 *
 * --peer-auto-tls makes a certificate that proves nothing: then nobody looks at the other's.
 * Errors  FlagError, in etcd's words where it has some
 * Source  etcd v3.6 server/embed/config.go PeerSelfCert, client/pkg/transport/listener.go
 */
import type { ClientTls, ServerTls } from "@nanokube/rpc";
import { FlagError, type FlagValues, isTrue } from "../core/flags.ts";
import { readCipherSuites } from "./cipher-suites.ts";
import {
  allowedCertificates,
  ownMade,
  read,
  readOwnCertificate,
  readVersions,
  type TlsPlace,
  validYearsOf,
} from "./client-tls.ts";

export interface PeerTls {
  readonly server: ServerTls;
  readonly client: ClientTls;
}

export async function readPeerTls(
  flags: FlagValues,
  place: TlsPlace,
): Promise<PeerTls | undefined> {
  const { "peer-cert-file": certFile = "", "peer-key-file": keyFile = "" } = flags;
  if ((certFile === "") !== (keyFile === "")) {
    throw new FlagError("--peer-cert-file and --peer-key-file must be set together");
  }
  const isAllowed = allowedCertificates({
    names: flags["peer-cert-allowed-cn"],
    hosts: flags["peer-cert-allowed-hostname"],
  });
  const [minVersion, maxVersion] = readVersions(flags);
  const common = { minVersion, maxVersion, ciphers: readCipherSuites(flags) };
  if (certFile === "") {
    if (!isTrue(flags["peer-auto-tls"])) return undefined;
    const made = await ownMade({ ...place, validYears: validYearsOf(flags), side: "peer" });
    const own = { cert: read(made.certFile), key: read(made.keyFile) };
    return { server: { ...own, ...common }, client: { ...own, insecureSkipVerify: true } };
  }
  const { "peer-trusted-ca-file": caFile = "", "peer-crl-file": crlFile = "" } = flags;
  const own = { cert: read(certFile), key: read(keyFile) };
  const ca = caFile === "" ? {} : { ca: read(caFile) };
  const server = {
    ...own,
    ...ca,
    ...common,
    ...(crlFile === "" ? {} : { crl: read(crlFile) }),
    requireClientCert: caFile !== "" || isTrue(flags["peer-client-cert-auth"]),
    isClientAllowed: isAllowed,
  };
  return { server, client: { ...(readOwnCertificate(flags, "peer-") ?? own), ...ca } };
}
