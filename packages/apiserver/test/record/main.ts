/**
 * Records what upstream's kube-apiserver does with the cases of strategy-cases/.
 *
 *     node --conditions=nanokube-source packages/apiserver/test/record/main.ts [what …]
 *
 * what: strategies, admission, access; all of them when none is named. Writes testdata/.
 */
import { recordAccess } from "./access.ts";
import { recordAdmission } from "./admission.ts";
import { recordStrategies } from "./strategies.ts";

const recorders = new Map([
  ["strategies", recordStrategies],
  ["admission", recordAdmission],
  ["access", recordAccess],
]);

const asked = process.argv.slice(2);
for (const [name, run] of recorders) if (asked.length === 0 || asked.includes(name)) await run();
