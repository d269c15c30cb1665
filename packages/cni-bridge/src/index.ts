/**
 * A CNI 1.1 bridge plugin with host-local style IPAM, and the routes between nodes that go with it.
 *
 * @packageDocumentation
 */
export { CNIError, type CNIErrorBody, codes } from "./core/errors.ts";
export {
  egressText,
  type NodeRoute,
  nodeRoutes,
  podNetworks,
  type RoutedNode,
  routeBatch,
} from "./core/node-routes.ts";
export type { DNS, Interface, IPConfig, Result, Route } from "./core/result.ts";
export { supportedVersions } from "./core/version.ts";
export { type InstallPluginOptions, installPlugin, pluginNames } from "./io/install-plugin.ts";
export { createNodeRoutes, type NodeRoutes, type NodeRoutesOptions } from "./io/node-routes.ts";
export { type PluginDeps, type Reply, runPlugin } from "./io/plugin.ts";
