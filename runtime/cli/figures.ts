/** One figure, with its unit; `target` says what it should reach. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: { readonly at: 'least' | 'most'; readonly value: number };
}

export function reached({ value, target }: Figure): boolean {
  if (target === undefined) return true;
  return target.at === 'least' ? value >= target.value : value <= target.value;
}

/** One line for people. */
export function row(figure: Figure): string {
  const { name, value, unit, target } = figure;
  const digits = value < 100 ? 1 : 0;
  const text = value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const verdict =
    target === undefined
      ? ''
      : `  ${reached(figure) ? '✓' : '✗'} at ${target.at} ${target.value.toLocaleString('en-US')}`;
  return `  ${name.padEnd(58)} ${text.padStart(12)} ${unit}${verdict}`;
}
