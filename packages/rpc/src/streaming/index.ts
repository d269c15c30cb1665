/**
 * The streaming half of CRI: SPDY/3.1, which exec, attach and port-forward speak under their URLs.
 *
 * @packageDocumentation
 */
export { SpdySession, type SpdySessionOptions, SpdyStream } from "./spdy-session.ts";
export {
  acceptSpdy,
  dialSpdy,
  offeredProtocols,
  type RawUpgrade,
  SPDY_UPGRADE,
  UpgradeError,
  upgradeToSpdy,
  wantsSpdy,
} from "./spdy-upgrade.ts";
