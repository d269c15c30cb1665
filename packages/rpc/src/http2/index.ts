/**
 * HTTP/2 for servers of their own: a socket, streams on it, header blocks. gRPC stands on the same.
 *
 * @packageDocumentation
 */
export { http2Error } from "../core/http2-codes.ts";
export type { Http2Stream, StreamSink } from "../core/http2-stream.ts";
export type { RequestHead } from "../core/request-head.ts";
export {
  type Http2SocketOptions,
  type OpenStream,
  type ServedSocket,
  serveHttp2,
} from "../io/http2-socket.ts";
