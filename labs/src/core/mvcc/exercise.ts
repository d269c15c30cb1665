/** Lab 01 as the grader sees it. */
import type { Exercise } from "../run-history.ts";
import { boundBytes, checkIds, historyOf, isTelling } from "./checks.ts";
import { effectText, isAsExpected, mismatchKind, simplerOperations } from "./compare.ts";
import { formatExpected, formatOperation, formatReply } from "./format.ts";
import { Model } from "./model.ts";
import type { Operation, Reply } from "./operation.ts";

export const mvccExercise: Exercise<Operation, Reply> = {
  checkIds,
  history: historyOf,
  createModel: () => new Model(),
  isTelling,
  isAsExpected,
  effectText,
  mismatchKind,
  simpler: simplerOperations,
  formatOperation,
  formatReply,
  formatExpected: (reply) => formatExpected(reply, boundBytes),
};
