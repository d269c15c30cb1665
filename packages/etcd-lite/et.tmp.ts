import { createEtcd } from "/work/main/packages/etcd-lite/src/index.ts";
import { systemClock } from "@nanokube/machinery/clock";
const nullLog: any = { debug(){}, info(){}, warn(){}, error(){}, child(){return nullLog} };
const random = { next: Math.random, bytes: (n: number) => crypto.getRandomValues(new Uint8Array(n)), uuid: () => crypto.randomUUID() };
const e = await createEtcd({ clock: systemClock, random, log: nullLog });
console.log(await e.listen("http://127.0.0.1:12379"));
