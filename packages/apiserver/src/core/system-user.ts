/** The server's own identity when it writes objects itself. */
import type { UserInfo } from "./authentication/authenticator.ts";

export const systemUser: UserInfo = {
  name: "system:apiserver",
  groups: ["system:masters", "system:authenticated"],
};
