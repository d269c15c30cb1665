/**
 * An HTTP server of node's from listening to its end, which waits for nobody.
 *
 * A path of its own, `@nanokube/machinery/serve-http`, so that the nouns load no sockets.
 *
 * Shapes  port 0 takes a free one; `port` of the answer is the one taken
 * Errors  what listening says: EADDRINUSE, EACCES …
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface ListeningServer {
  readonly port: number;
  /** Connections under way are cut. */
  close(): Promise<void>;
}

export async function serveHTTP(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<ListeningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
