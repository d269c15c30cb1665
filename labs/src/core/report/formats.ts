/** The forms that a grading can be told in, and what their files are called. */
import type { Results } from "../results.ts";
import { classroomOutput } from "./classroom.ts";
import { gradescopeResults } from "./gradescope.ts";
import { junitReport } from "./junit.ts";
import { markdownReport } from "./markdown.ts";
import { terminalReport } from "./terminal.ts";

export interface Format {
  readonly fileName: string;
  render(results: Results): string;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

export const formats: Readonly<Record<string, Format>> = {
  terminal: { fileName: "report.txt", render: terminalReport },
  json: { fileName: "results.json", render: json },
  gradescope: {
    fileName: "gradescope.json",
    render: (results) => json(gradescopeResults(results)),
  },
  junit: { fileName: "junit.xml", render: junitReport },
  classroom: { fileName: "classroom.txt", render: classroomOutput },
  markdown: { fileName: "report.md", render: markdownReport },
};

/** Also under its short name. */
export function findFormat(name: string): Format | undefined {
  const full = name === "md" ? "markdown" : name;
  return Object.hasOwn(formats, full) ? formats[full] : undefined;
}
