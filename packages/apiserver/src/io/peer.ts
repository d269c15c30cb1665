/**
 * Whose certificate is on the other end of a TLS connection?
 *
 * TLS asks for a certificate and accepts any (upstream's RequestClientCert); one that TLS could not
 * verify against our CAs is passed on all the same, for the authenticator to refuse.
 */
import type { TLSSocket } from "node:tls";

export interface Peer {
  /** DER, whoever signed it: that its owner has the key is all that TLS has checked. */
  certificate?: Uint8Array;
  /** Its address, as Go writes one (no ::ffff: before IPv4). */
  address?: string;
}

export function peerOf(socket: TLSSocket): Peer {
  const { remoteAddress } = socket;
  const address =
    remoteAddress === undefined ? {} : { address: remoteAddress.replace(/^::ffff:/, "") };
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? address : { certificate: certificate.raw, ...address };
}
