/** The failure of a connection in Go's words, "dial tcp 10.0.0.1:80: connect: connection refused". */
export function dialProblem({ host, port }: { host: string; port: number }, error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  const dial = `dial tcp ${host}:${port}`;
  if (code === "ECONNREFUSED") return `${dial}: connect: connection refused`;
  if (code === "ETIMEDOUT") return `${dial}: i/o timeout`;
  if (code === "EHOSTUNREACH") return `${dial}: connect: no route to host`;
  if (code === "ENETUNREACH") return `${dial}: connect: network is unreachable`;
  if (code === "ENOTFOUND") return `dial tcp: lookup ${host}: no such host`;
  return error.message;
}
