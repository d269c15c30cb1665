/** A KubeletConfiguration, for who embeds the kubelet: read, checked, and as options. */
export {
  type KubeletConfiguration,
  parseKubeletConfiguration,
} from "./core/kubelet-configuration.ts";
export { nodeOptions, withDefaults } from "./node-options.ts";
