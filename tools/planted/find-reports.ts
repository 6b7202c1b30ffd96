import type { StepName } from './plant.ts';

/** What a step said: `path rule`, once for each file and rule. */
export type Reports = ReadonlySet<string>;

/** The shape of a line that reports something, by step; the groups are the path and the rule. */
const LINES: Readonly<Record<Exclude<StepName, 'dead-code'>, RegExp>> = {
  format: /^(?<path>\S+) (?<rule>format) ━/gm,
  lint: /^(?<path>\S+?):\d+:\d+: .*\[Error(?:\/[\w-]*\(?(?<rule>[\w-]+)\)?)?\]$/gm,
  types: /^(?<path>\S+?)\(\d+,\d+\): error (?<rule>TS\d+):/gm,
  layers: /^(?<path>\S+?):\d+:\d+ (?<rule>[\w-]+):/gm,
  purity: /^(?<path>\S+?):\d+:\d+ (?<rule>[\w-]+):/gm,
};

/** Dead code is listed below a heading: `Unused exports (2)`, then a line for each, with a path in it. */
const readDeadCode = (output: string): Reports => {
  const reports = new Set<string>();
  let heading = '';
  for (const line of output.split('\n')) {
    heading = /^(?<heading>[A-Z][\w ]+) \(\d+\)$/.exec(line)?.groups?.['heading'] ?? heading;
    const path = /(?<path>[\w-]+\/[\w/.-]+\.ts)/.exec(line)?.groups?.['path'];
    if (path !== undefined) reports.add(`${path} ${heading}`);
  }
  return reports;
};

export const findReports = (step: StepName, output: string): Reports => {
  if (step === 'dead-code') return readDeadCode(output);
  // A disable comment that disables nothing is reported without the name of a rule.
  return new Set(
    Array.from(output.matchAll(LINES[step]), ({ groups }) => {
      return `${groups?.['path'] ?? '?'} ${groups?.['rule'] ?? 'unnamed'}`;
    }),
  );
};
