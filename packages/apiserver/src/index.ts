/**
 * The Kubernetes REST API over an etcd v3 store.
 *
 * @packageDocumentation
 */
export type { UserInfo } from "./core/authentication/authenticator.ts";
export {
  type ApiServer,
  type ApiServerOptions,
  type ApiServerPKI,
  createApiServer,
} from "./io/api-server.ts";
