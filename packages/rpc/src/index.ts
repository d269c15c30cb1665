/**
 * gRPC: serve and dial on TCP, TLS, unix sockets, or inside the process.
 *
 * Services are generated fact tables (`etcd`, `cri`, `csi`, `health`, `pluginRegistration`):
 *
 *     const server = createServer();
 *     server.add(health.Health, { check: () => ({ status: 1 }) });
 *     await server.listen({ path: "/run/x.sock" });
 *     await createClient(dial("unix:///run/x.sock"), health.Health).check({});
 *
 * @packageDocumentation
 */
export {
  type ByteStream,
  type CallOptions,
  type Channel,
  type Client,
  type ClientStream,
  createClient,
  type Handlers,
  type ServerCall,
  type ServerStream,
} from "./core/call.ts";
export type { RpcClock } from "./core/clock.ts";
export {
  type EncodedMessage,
  encoded,
  type Init,
  inPieces,
  type MessageCodec,
  message,
  messageFields,
} from "./core/codec.ts";
export { MessageQueue } from "./core/message-queue.ts";
export { decodeBin, encodeBin, type Metadata } from "./core/metadata.ts";
export {
  bidi,
  clientStream,
  type MethodInfo,
  type ServiceInfo,
  serverStream,
  service,
  unary,
} from "./core/service.ts";
export { codeName, codes, RpcError, toRpcError } from "./core/status.ts";
export type { FieldFact, FieldKind } from "./core/table.ts";
export { readUTF8, writeEscaped } from "./core/utf8.ts";
export { WireError } from "./core/wire.ts";
export * as cri from "./generated/cri.ts";
export * as csi from "./generated/csi.ts";
export * as etcd from "./generated/etcd.ts";
export * as health from "./generated/health.ts";
export * as pluginRegistration from "./generated/plugin-registration.ts";
export type { ClientTls } from "./io/connection.ts";
export { type DialOptions, dial } from "./io/dial.ts";
export {
  type CertifiedKey,
  isListening,
  type ListenAddress,
  type ListenOptions,
  type ServerTls,
} from "./io/listener.ts";
export type { HttpHandler, PlainRequest, PlainResponse } from "./io/plain-http.ts";
export {
  createServer,
  type RpcServer,
  type ServerOptions,
  type WebSocketHandler,
} from "./io/server.ts";
export type { Traffic } from "./io/server-call.ts";
export type { UpgradeHandler, UpgradeRequest } from "./io/upgrade.ts";
