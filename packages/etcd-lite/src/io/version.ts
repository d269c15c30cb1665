/** The etcd that this member is like: clients decide by it what they may ask for. */
export const serverVersion = "3.6.8";
