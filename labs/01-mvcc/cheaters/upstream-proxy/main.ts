/** Would ask a real etcd for the answers. */
import { connect } from "node:http2";

export function create() {
  const session = connect("http://127.0.0.1:2379");
  return { range: () => session.request({ ":path": "/etcdserverpb.KV/Range" }) };
}
