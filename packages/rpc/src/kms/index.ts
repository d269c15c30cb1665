/**
 * KMS v2: the service of a plugin that keeps keys, apart from the others because few need it.
 *
 * @packageDocumentation
 */
export {
  type DecryptRequest,
  type DecryptResponse,
  type EncryptRequest,
  type EncryptResponse,
  KeyManagementService,
  type StatusRequest,
  type StatusResponse,
} from "../generated/kms.ts";
