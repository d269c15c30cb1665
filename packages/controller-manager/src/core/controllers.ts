/**
 * The list of controllers: what --controllers knows, and how each is made.
 */
import type { Controller } from "./controller.ts";
import { createDaemonSetController } from "./daemonset/daemonset.ts";
import { createDeploymentController } from "./deployment/deployment.ts";
import { createEndpointsController } from "./endpoints/endpoints.ts";
import { createEndpointSliceController } from "./endpointslice/endpointslice.ts";
import { createNamespaceController } from "./namespace/namespace.ts";
import { createReplicaSetController } from "./replicaset/replicaset.ts";
import { createRootCAController } from "./root-ca/root-ca.ts";
import { createServiceAccountController } from "./serviceaccount/serviceaccount.ts";
import { createStatefulSetController } from "./statefulset/statefulset.ts";

export interface ControllerOptions {
  /** PEM of the CA that signed the API server's certificate; absent: nothing is published. */
  rootCA?: string | undefined;
  /** PEM of the key that signs service account tokens. Tokens are made by the API server: kept for the seam's sake. */
  serviceAccountKey?: string | undefined;
  /** "10.244.0.0/16"; absent: nodes are given no pod ranges. */
  clusterCIDR?: string | undefined;
  nodeCIDRMaskSize?: number | undefined;
  /** PEM of the CA that signs certificate signing requests; absent: none are signed. */
  clusterSigning?: { cert: string; key: string } | undefined;
}

export interface ControllerEntry {
  name: string;
  /** undefined: what it needs is not configured. */
  create(options: ControllerOptions): Controller | undefined;
}

export const controllers: readonly ControllerEntry[] = [
  { name: "namespace-controller", create: createNamespaceController },
  { name: "serviceaccount-controller", create: createServiceAccountController },
  {
    name: "root-ca-certificate-publisher-controller",
    create: ({ rootCA }) => (rootCA === undefined ? undefined : createRootCAController(rootCA)),
  },
  { name: "replicaset-controller", create: createReplicaSetController },
  { name: "deployment-controller", create: createDeploymentController },
  { name: "statefulset-controller", create: createStatefulSetController },
  { name: "daemonset-controller", create: createDaemonSetController },
  { name: "endpointslice-controller", create: createEndpointSliceController },
  { name: "endpoints-controller", create: createEndpointsController },
];
