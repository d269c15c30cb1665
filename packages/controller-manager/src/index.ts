/**
 * The Kubernetes controllers, one folder each.
 *
 * @packageDocumentation
 */
export type { Caches, Context, Controller, Watch } from "./core/controller.ts";
export { type ControllerOptions, controllers } from "./core/controllers.ts";
export { pickControllers, UnknownControllerError } from "./core/names.ts";
export type { Effect, Outcome, Steps } from "./core/steps.ts";
export {
  type ControllerManager,
  type ControllerManagerOptions,
  createControllerManager,
  knownControllers,
} from "./io/controller-manager.ts";
export { type CsiProvisionerDeps, createCsiProvisioner } from "./io/csi-provisioner.ts";
