/**
 * Services to packets: kube-proxy in iptables mode.
 *
 * @packageDocumentation
 */

export { cleanupText, parseSaved, type SavedState } from "./core/restore-text.ts";
export { type BookOptions, type NodeState, type Plan, RuleBook } from "./core/rule-book.ts";
export { cleanup } from "./io/cleanup.ts";
export { chainHash } from "./io/hash.ts";
export { createKubeProxy, type KubeProxy, type KubeProxyOptions } from "./io/kube-proxy.ts";
