/**
 * Has V8 compile a function for speed after 1,000 calls, where it would wait for 3,000. To be
 * imported first by a program that spreads each request over thousands of functions: until they
 * are compiled, ten thousand requests later, it serves at half its speed
 * (docs/decisions/0016-warm-up.md).
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--invocation-count-for-turbofan=1000");
