/**
 * What a caller of the API is told when etcd answers with an error or not at all.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/storage/errors.go, etcd3/errors.go
 */
import { expired, internalError } from "@nanokube/machinery";
import { RpcError } from "@nanokube/rpc";

const outOfRange = 11;

export async function storageError<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    if (error.code === outOfRange && error.details.includes("compacted")) {
      throw expired("The resourceVersion for the provided list is too old.");
    }
    throw internalError(`etcdserver: ${error.details.replace(/^etcdserver: /, "")}`);
  }
}
