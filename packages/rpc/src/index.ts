/**
 * gRPC over node:http2 for etcd, CRI and CSI: serve and dial on TCP, TLS, unix sockets and memory.
 *
 * @packageDocumentation
 */
export {};
