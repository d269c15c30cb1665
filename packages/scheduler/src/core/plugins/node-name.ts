/**
 * A pod that names its node goes nowhere else.
 *
 * Source  pkg/scheduler/framework/plugins/nodename
 */
import type { Plugin } from "../framework.ts";
import { unresolvable } from "../status.ts";

export const nodeName: Plugin = {
  name: "NodeName",
  filter({ pod }, { name }) {
    const wanted = pod.spec?.nodeName ?? "";
    if (wanted === "" || wanted === name) return undefined;
    return unresolvable("node(s) didn't match the requested node name");
  },
};
