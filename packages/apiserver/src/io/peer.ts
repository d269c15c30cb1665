/**
 * Whose certificate is on the other end of a TLS connection?
 *
 * TLS asks for a certificate and accepts any (upstream's RequestClientCert); one that TLS could not
 * verify against our CAs is passed on all the same, for the authenticator to refuse.
 */
import type { TLSSocket } from "node:tls";

export interface ClientCertificates {
  /** PEM of the CAs that sign users' certificates. */
  clientCA: readonly string[];
  /** PEM of the CAs that sign front proxies' certificates. */
  requestHeaderCA: readonly string[];
}

export interface Peer {
  /** DER; present when one of the CAs signed it. */
  certificate?: Uint8Array;
}

export function peerOf(socket: TLSSocket): Peer {
  if (!socket.authorized) return {};
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? {} : { certificate: certificate.raw };
}
