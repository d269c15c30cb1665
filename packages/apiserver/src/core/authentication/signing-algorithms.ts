/** Signature algorithms of ID tokens: what the flags take unless told, and all there are. */
export const usualAlgorithms = ["RS256"];

/** A configuration file takes them all. */
export const signingAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
];
