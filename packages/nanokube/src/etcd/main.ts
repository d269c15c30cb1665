/** A member of the cluster's store as a process of its own; its arguments are etcd's flags. */
import "@nanokube/etcd-lite/main";
