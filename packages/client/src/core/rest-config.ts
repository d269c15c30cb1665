/**
 * What is needed to reach one API server as one user.
 *
 * Shapes  server                    "https://10.0.0.1:6443", without a path as a rule; a path is a
 *                                   prefix of every request
 *         caData, certData, keyData PEM text
 *         tokenFile                 read again every minute, for it is rotated; goes before `token`
 */
export interface RestConfig {
  server: string;
  caData?: string | undefined;
  certData?: string | undefined;
  keyData?: string | undefined;
  token?: string | undefined;
  tokenFile?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  insecureSkipTLSVerify?: boolean | undefined;
  /** The name expected in the server's certificate, where it is not the host of `server`. */
  tlsServerName?: string | undefined;
  impersonate?: Impersonation | undefined;
  /** The context's namespace; "default" where it names none. */
  namespace?: string | undefined;
}

export interface Impersonation {
  user: string;
  uid?: string | undefined;
  groups?: readonly string[] | undefined;
  extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/**
 * Headers that say who asks; the token comes as an argument, for it may have been read from a
 * file just now.
 */
export function authHeaders(config: RestConfig, token: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (token !== undefined && token !== "") headers.authorization = `Bearer ${token}`;
  else if (config.username !== undefined) {
    headers.authorization = `Basic ${btoa(`${config.username}:${config.password ?? ""}`)}`;
  }
  const as = config.impersonate;
  if (as === undefined) return headers;
  headers["impersonate-user"] = as.user;
  if (as.uid !== undefined) headers["impersonate-uid"] = as.uid;
  // Several values of one header travel as one, parted by the separator that the transport
  // splits at.
  if (as.groups?.length) headers["impersonate-group"] = as.groups.join(headerValueSeparator);
  for (const [key, values] of Object.entries(as.extra ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key).toLowerCase()}`] =
      values.join(headerValueSeparator);
  }
  return headers;
}

/** A newline cannot stand in a header's value, so it can part values until they are on the wire. */
export const headerValueSeparator = "\n";
