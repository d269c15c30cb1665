/**
 * AlwaysAdmit and AlwaysDeny: both out of use, both on request.
 *
 * Source  plugin/pkg/admission/{admit,deny}/admission.go
 */
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { refuse } from "./refuse.ts";

export const alwaysAdmit: AdmissionPlugin = { name: "AlwaysAdmit", handles: () => false };

async function deny(attributes: AdmissionAttributes): Promise<void> {
  throw refuse(attributes, "admission control is denying all modifications");
}

export const alwaysDeny: AdmissionPlugin = {
  name: "AlwaysDeny",
  handles: () => true,
  admit: deny,
  validate: deny,
};
