/**
 * Kubernetes service discovery over DNS: what CoreDNS's kubernetes plugin answers.
 *
 * @packageDocumentation
 */
export { decodeAnswer, decodeQuery } from "./core/decode.ts";
export { encodeResponse } from "./core/encode.ts";
export { type DNSRecord, type Query, type Response, rcodes, types } from "./core/message.ts";
export { questionBytes } from "./core/question.ts";
export { type Resolution, type ResolveOptions, resolve } from "./core/resolve.ts";
export { nameserversOf } from "./core/upstream.ts";
export { ClusterView } from "./core/view.ts";
export { createDns, type Dns, type DnsOptions } from "./io/dns.ts";
