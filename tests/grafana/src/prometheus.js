// Asks Prometheus as Grafana's data source does, and makes frames of what it answers.
import { FieldType, createDataFrame, getDefaultTimeRange } from '@grafana/data';

// The scrape interval of the recording: no step is shorter, and rates look at four of them.
export const SCRAPE_SECONDS = 5;

async function ask(base, path, parameters) {
  const answer = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await answer.json();
  if (body.status !== 'success') {
    throw new Error(`${parameters.query ?? path}: ${body.error}`);
  }
  return body.data;
}

export function stepOf(range, points) {
  return Math.max(SCRAPE_SECONDS, Math.ceil((range.to - range.from) / points / 5) * 5);
}

export function rateInterval(step) {
  return Math.max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS);
}

export async function labelValues(base, metric, label, range) {
  const values = await ask(base, `label/${label}/values`, { 'match[]': metric, start: range.from, end: range.to });
  return values.sort();
}

export async function regions(base, expr, range) {
  const step = SCRAPE_SECONDS;
  const { result } = await ask(base, 'query_range', { query: expr, start: range.from, end: range.to, step });
  return result.flatMap(({ metric, values }) => {
    const found = [];
    for (const [time] of values) {
      const last = found.at(-1);
      if (last && time - last.to <= step * 2) {
        last.to = time;
      } else {
        found.push({ from: time, to: time, labels: metric });
      }
    }
    return found;
  });
}

// The frames of one target of a panel.
export async function frames(base, target, expr, range, step, several) {
  if (!target.instant) {
    const { result } = await ask(base, 'query_range', { query: expr, start: range.from, end: range.to, step });
    return result.map((series) => seriesFrame(target, series, series.values));
  }
  const { result } = await ask(base, 'query', { query: expr, time: range.to });
  if (target.format === 'table') {
    return [tableFrame(target, result, several)];
  }
  return result.map((series) => seriesFrame(target, series, [series.value]));
}

function seriesFrame(target, { metric }, values) {
  const name = legend(target.legendFormat, metric);
  return createDataFrame({
    refId: target.refId,
    name,
    fields: [
      { name: 'Time', type: FieldType.time, values: values.map(([time]) => time * 1000), config: {} },
      { name: 'Value', type: FieldType.number, values: values.map(([, value]) => Number(value)), labels: metric, config: { displayNameFromDS: name } },
    ],
  });
}

function tableFrame(target, result, several) {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: result.map(({ value }) => value[0] * 1000), config: {} },
      ...labels.map((label) => ({ name: label, type: FieldType.string, values: result.map(({ metric }) => metric[label] ?? ''), config: { filterable: true } })),
      { name: several ? `Value #${target.refId}` : 'Value', type: FieldType.number, values: result.map(({ value }) => Number(value[1])), config: {} },
    ],
  });
}

function legend(format, metric) {
  if (!format || format === '__auto') {
    return Object.values(metric).join(' ');
  }
  return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? '').replace(/\s+/g, ' ').trim();
}

export function timeRange({ from, to }) {
  const range = getDefaultTimeRange();
  const at = (seconds) => range.from.clone().set(0, 'ms').add(seconds * 1000 - range.from.clone().set(0, 'ms').valueOf(), 'ms');
  const [first, last] = [at(from), at(to)];
  return { from: first, to: last, raw: { from: first, to: last } };
}
