/** Digests that names and signatures are made of: given by `io/`, as cores have no crypto. */
export interface Digests {
  /** In hexadecimal. */
  sha256(text: string): string;
  /** In base64url, without padding. */
  hmacSHA256(key: string, text: string): string;
  /** A JSON Web Token with these claims, signed with the PEM of an RSA or EC key. */
  signJWT(privateKey: string, claims: object): string;
}
