#!/usr/bin/env node
/**
 * The program as npm installs it: main.ts, with its compiled code kept from one start to the next.
 *
 * What was compiled until it served is written once, a moment later: who is killed early loses
 * nothing but that. NODE_DISABLE_COMPILE_CACHE=1 turns it off.
 */
import "@nanokube/machinery/require-node";
import { enableCompileCache, flushCompileCache } from "node:module";

const writtenAfterMs = 50;

enableCompileCache();
await import("./main.ts");
setTimeout(flushCompileCache, writtenAfterMs).unref();
