// What Grafana itself does between the data source and the panel: transformations, then field options and overrides.
import {
  FieldConfigOptionsRegistry,
  applyFieldOverrides,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';

// Some have two names.
const transformers = [...new Set(Object.values(standardTransformers))];
standardTransformersRegistry.setInit(() => transformers.map((info) => ({ id: info.id, name: info.name, transformation: () => Promise.resolve(info) })));

const STANDARD = ['unit', 'decimals', 'min', 'max', 'color', 'thresholds', 'mappings', 'noValue', 'displayName', 'links'];
const CUSTOM = [
  'align', 'axisSoftMax', 'axisSoftMin', 'cellOptions', 'drawStyle', 'fillOpacity', 'filterable', 'gradientMode', 'inspect', 'lineWidth', 'showPoints', 'spanNulls',
  'stacking', 'thresholdsStyle', 'width',
];
const option = (id, isCustom) => ({
  id: isCustom ? `custom.${id}` : id,
  path: id,
  name: id,
  isCustom,
  editor: () => null,
  override: () => null,
  process: (value) => value,
  shouldApply: () => true,
});
const registry = new FieldConfigOptionsRegistry(() => [...STANDARD.map((id) => option(id, false)), ...CUSTOM.map((id) => option(id, true))]);

export function transformed(frames, transformations) {
  const interpolate = (text) => text;
  return new Promise((resolve, reject) => {
    transformDataFrame(transformations, frames, { interpolate }).subscribe({ next: resolve, error: reject });
  });
}

export function configured(frames, fieldConfig, theme) {
  // The lowest step is written as null, for JSON knows no infinity.
  for (const { id, value } of fieldConfig.overrides.flatMap(({ properties }) => properties)) {
    if (id === 'thresholds') {
      value.steps[0].value = -Infinity;
    }
  }
  return applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: registry,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
}
