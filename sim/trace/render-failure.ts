import { eventLines, systemText, timeText } from './describe-scenario.ts';
import type { Failure } from './failure.ts';

const MOST_SCENARIO_LINES = 12;
const MOST_EVENTS = 10;

/** What the reporter knows beyond the failure itself. */
export interface FailureContext {
  readonly exitCode: number;
  /** Where the scenario was saved. */
  readonly path: string;
  /** The command that replays it. */
  readonly replay: string;
  /** How often it was seen; undefined when one scenario was run alone. */
  readonly rate:
    | {
        readonly failed: number;
        readonly seeds: number;
        readonly fastestEvents: number;
        readonly fastestSeed: number;
        readonly oldestSeed: number;
      }
    | undefined;
}

/**
 * A failure on the screen, in the order in which a reader asks: what broke, how to get there, what happened last, what
 * should have been, who is stuck, which faults it takes, how to see it again, how often it happens.
 */
export function renderFailure(failure: Failure, context: FailureContext): string[] {
  const { key, result, scenario } = failure;
  const lines = [`✗ ${key.verdict}: ${key.cause} (exit code ${context.exitCode})`, ''];
  lines.push(...section(scenarioTitle(failure), scenarioLines(failure)));
  // What is judged when the run is over has none.
  const last = result.lastEvents.slice(-MOST_EVENTS);
  if (last.length > 0) lines.push(...section('the last events', last));
  lines.push(...section('', judgement(failure)));
  const stuck = result.violation?.stuck ?? [];
  if (stuck.length > 0) lines.push(...section('stuck', stuck));
  lines.push(
    `  necessary   ${failure.necessaryFaults.length === 0 ? 'no fault at all' : failure.necessaryFaults.join(', ')}`,
    `  replay      ${context.replay}`,
    `  scenario    ${context.path}`,
    `  hash        ${result.hash} after ${number(result.events)} events, ${timeText(result.simulatedMicros)}`,
  );
  if (failure.seed !== undefined)
    lines.push(`  found       seed ${failure.seed}, seed of the run ${scenario.seed}`);
  if (context.rate !== undefined) lines.push(`  seen        ${rateText(context.rate)}`);
  return lines;
}

function scenarioTitle(failure: Failure): string {
  const size = failure.scenario.ops.length + failure.scenario.faults.length;
  const from = failure.foundSize > size ? `, shrunk from ${failure.foundSize}` : '';
  return `the scenario: ${size} operations and faults${from}${failure.minimal ? '' : ', not minimal yet'}`;
}

function scenarioLines({ scenario }: Failure): string[] {
  const system = systemText(scenario);
  return [...system, ...eventLines(scenario, MOST_SCENARIO_LINES - system.length)];
}

function judgement({ result }: Failure): string[] {
  const { violation, crash } = result;
  if (violation !== undefined) {
    return [timeText(violation.at), `expected    ${violation.expected}`, `observed    ${violation.observed}`];
  }
  if (crash !== undefined) {
    const stack = crash.stack.split('\n').filter((line) => line.includes('/core/') || line.includes('/sim/'));
    return [
      `expected    ${crash.node} goes on`,
      `observed    it threw: ${crash.message}`,
      ...stack.slice(0, 6),
    ];
  }
  return ['expected    an end of the run', `observed    none within ${number(result.events)} events`];
}

function section(title: string, body: readonly string[]): string[] {
  const head = title === '' ? [] : [`  ${title}`];
  return [...head, ...body.map((line) => `${title === '' ? '  ' : '    '}${line}`), ''];
}

/** 2674 -> "2,674" */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

function rateText(rate: NonNullable<FailureContext['rate']>): string {
  const share = (100 * rate.failed) / rate.seeds;
  const percent = share >= 10 ? share.toFixed(0) : share >= 0.1 ? share.toFixed(1) : share.toFixed(3);
  return `fails in ${percent} % of ${number(rate.seeds)} seeds, fastest after ${number(rate.fastestEvents)} events (seed ${rate.fastestSeed}), first found with seed ${rate.oldestSeed}`;
}
