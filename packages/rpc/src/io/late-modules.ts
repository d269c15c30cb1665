/**
 * Modules of the runtime that are loaded when they are first needed.
 *
 * `import … from "node:http"` costs a program 50 ms of processor time and 15 MiB before its first
 * line runs, because the names that it exports bring fetch and WebSocket with them; TLS costs 20 ms
 * and 8 MiB. A store that starts in 100 ms, without TLS, does not have them to give away.
 */
import type * as Http from "node:http";
import type * as Tls from "node:tls";

export const nodeHttp = (): typeof Http => process.getBuiltinModule("node:http");

export const nodeTls = (): typeof Tls => process.getBuiltinModule("node:tls");
