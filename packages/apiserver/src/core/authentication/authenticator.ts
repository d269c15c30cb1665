/**
 * Who is asking? Authenticators are tried in order; the first that recognises the credentials wins.
 *
 * Errors  a StatusError 401 when credentials are given and wrong; undefined when there are none
 * Source  staging/src/k8s.io/apiserver/pkg/authentication/authenticator/interfaces.go
 */
export interface UserInfo {
  name: string;
  groups: readonly string[];
  uid?: string;
  extra?: Readonly<Record<string, readonly string[]>>;
}

export interface SentHeaders {
  /** Names in lower case; several values of one name are joined. */
  headers: Readonly<Record<string, string>>;
  /** The values of one name apart, where the transport knows them. */
  headerValues?: (name: string) => readonly string[];
}

export interface Credentials extends SentHeaders {
  /** DER of the client certificate that TLS has already verified against the client CA. */
  peerCertificate?: Uint8Array;
  /** What is asked for: some paths may be open to everybody. */
  path?: string;
}

export interface Authentication {
  user: UserInfo;
  audiences?: readonly string[];
  /** What is said of the credentials to the caller, and to the audit. */
  remarks?: Remarks | undefined;
}

export interface Remarks {
  warnings: readonly string[];
  annotations: Readonly<Record<string, string>>;
}

export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Authentication | undefined>;
}
