// What stands for the variables in a query, as Grafana's data source for Prometheus interpolates them.
import { labelValues } from './prometheus.js';

const escaped = (value) => value.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&');

// The options and the choice of each variable. `chosen` says what is chosen instead of all.
export async function load(dashboard, base, range, chosen) {
  const variables = {};
  for (const variable of dashboard.templating.list) {
    if (variable.type === 'query') {
      const [, metric, label] = /^label_values\((.*), (\w+)\)$/.exec(variable.query.query);
      const options = await labelValues(base, interpolate(metric, variables), label, range);
      variables[variable.name] = { label: variable.label, options, chosen: chosen[variable.name], all: variable.allValue };
    } else if (variable.type === 'textbox') {
      variables[variable.name] = { label: variable.label, text: variable.query };
    } else {
      variables[variable.name] = { label: variable.label, text: 'Prometheus' };
    }
  }
  return variables;
}

export function interpolate(text, variables, builtin = {}) {
  return text.replace(/\$(\w+)/g, (whole, name) => {
    if (name in builtin) {
      return builtin[name];
    }
    const variable = variables[name];
    if (!variable) {
      return whole;
    }
    if (variable.text !== undefined) {
      return variable.text;
    }
    const values = (variable.chosen ?? []).map(escaped);
    return values.length === 0 ? variable.all : values.length === 1 ? values[0] : `(${values.join('|')})`;
  });
}

export function shown({ text, chosen }) {
  return text ?? chosen?.join(' + ') ?? 'All';
}

// A panel for each value of the variable that it is repeated for.
export function repeated(panels, variables) {
  return panels.flatMap((panel) => {
    if (!panel.repeat) {
      return [{ ...panel, variables }];
    }
    const variable = variables[panel.repeat];
    const values = (variable.chosen ?? variable.options).slice(0, panel.maxPerRow);
    const { x, y, w, h } = panel.gridPos;
    return values.map((value, index) => ({
      ...panel,
      id: `${panel.id}-${value}`,
      gridPos: { x: x + (w / values.length) * index, y, w: w / values.length, h },
      variables: { ...variables, [panel.repeat]: { ...variable, chosen: [value] } },
    }));
  });
}
