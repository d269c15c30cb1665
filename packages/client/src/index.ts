/**
 * How to talk to a Kubernetes API server: kubeconfig, REST, watch, informers, work
 * queues, leases, events.
 *
 * @packageDocumentation
 */
export { Backoff, type BackoffOptions } from "./core/backoff.ts";
export {
  type Client,
  type ClientOptions,
  type ClientRequest,
  createClient,
} from "./core/client.ts";
export {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderOptions,
  type EventType,
} from "./core/event-recorder.ts";
export {
  discardBody,
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  readBody,
} from "./core/http.ts";
export { Indexer, type IndexFunc, type Lister } from "./core/indexer.ts";
export {
  createInformer,
  type EventHandler,
  type InformerOptions,
  type SharedInformer,
} from "./core/informer.ts";
export {
  createInformerFactory,
  type InformerFactory,
  type InformerFactoryOptions,
} from "./core/informer-factory.ts";
export { type Kubeconfig, KubeconfigError, parseKubeconfig } from "./core/kubeconfig.ts";
export {
  type LeaderElectionOptions,
  microTime,
  runLeaderElection,
} from "./core/leader-election.ts";
export type {
  CallOptions,
  DeleteCallOptions,
  KubeList,
  ListOptions,
  PatchOptions,
  PatchType,
  ResourceClient,
  WatchOptions,
  WriteOptions,
} from "./core/resource-client.ts";
export { type Query, queryString, resourcePath } from "./core/resource-path.ts";
export {
  type ApiObject,
  apiVersionOf,
  groupResourceOf,
  keyOf,
  type ResourceRef,
  splitKey,
} from "./core/resource-ref.ts";
export * from "./core/resources.ts";
export {
  ifFound,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNotFound,
  isReason,
  responseError,
} from "./core/response-error.ts";
export type { Impersonation, RestConfig } from "./core/rest-config.ts";
export type { WatchEvent } from "./core/watch-stream.ts";
export {
  runWorkers,
  type WorkerOptions,
  WorkQueue,
  type WorkQueueOptions,
} from "./core/work-queue.ts";
export {
  type ClosableTransport,
  createHttpTransport,
  type HttpTransportOptions,
} from "./io/http-transport.ts";
export { inClusterConfig, loadKubeconfig } from "./io/kubeconfig-file.ts";
export { openUpgrade } from "./io/upgrade.ts";
