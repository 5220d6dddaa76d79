// Each type of panel with Grafana's own components, as far as the dashboards use its options.
import { useLayoutEffect } from 'react';
import { VizOrientation, getDisplayValueAlignmentFactors, getFieldDisplayValues } from '@grafana/data';
import { BarGauge, BigValue, Table, TimeSeries, VizRepeater, useTheme2 } from '@grafana/ui';
import { Timeline } from './timeline.jsx';
import { timeRange } from './prometheus.js';

export function Panel({ panel, frames, width, height, range, step, marks }) {
  const filled = frames.filter((frame) => frame.length > 0);
  if (filled.length === 0) {
    return <Empty text={panel.fieldConfig.defaults.noValue ?? 'No data'} big={panel.type === 'stat'} height={height} />;
  }
  const Drawn = { stat: Stat, bargauge: Bars, timeseries: Graph, table: Rows, 'state-timeline': Timeline }[panel.type];
  return <Drawn panel={panel} frames={filled} width={width} height={height} range={range} step={step} marks={marks} />;
}

function Empty({ text, big, height }) {
  const style = { height, display: 'flex', alignItems: 'center', justifyContent: 'center', textAlign: 'center' };
  return <div style={{ ...style, fontSize: big ? 26 : 14, opacity: big ? 1 : 0.7 }}>{text}</div>;
}

function values(panel, frames, theme) {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: frames,
    timeZone: 'utc',
  });
}

function Stat({ panel, frames, width, height }) {
  const theme = useTheme2();
  const { colorMode, graphMode, justifyMode, textMode, wideLayout } = panel.options;
  const getValues = () => values(panel, frames, theme);
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, width, height, count }) => (
        <BigValue
          value={{ ...value.display, title: getValues().length > 1 || textMode === 'value_and_name' ? value.display.title : undefined }}
          count={count}
          colorMode={colorMode}
          graphMode={graphMode}
          justifyMode={justifyMode}
          textMode={textMode}
          alignmentFactors={alignmentFactors}
          width={width}
          height={height}
          theme={theme}
          wideLayout={wideLayout}
        />
      )}
      source={frames}
      width={width}
      height={height}
      itemSpacing={3}
      renderCounter={0}
      autoGrid={true}
      orientation={panel.options.orientation}
    />
  );
}

function Bars({ panel, frames, width, height }) {
  const theme = useTheme2();
  const { displayMode, valueMode, namePlacement, showUnfilled, maxVizHeight, minVizHeight } = panel.options;
  return (
    <VizRepeater
      getValues={() => values(panel, frames, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, width, height }) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
          width={width}
          height={height}
          orientation={VizOrientation.Horizontal}
          displayMode={displayMode}
          valueDisplayMode={valueMode}
          namePlacement={namePlacement}
          showUnfilled={showUnfilled}
          alignmentFactors={alignmentFactors}
          theme={theme}
        />
      )}
      source={frames}
      width={width}
      height={height}
      itemSpacing={8}
      maxVizHeight={maxVizHeight}
      minVizHeight={minVizHeight}
      renderCounter={0}
      orientation={VizOrientation.Horizontal}
    />
  );
}

function Graph({ panel, frames, width, height, range, marks }) {
  return (
    <TimeSeries frames={frames} timeRange={timeRange(range)} timeZone="utc" width={width} height={height} legend={panel.options.legend} options={{}}>
      {(config) => <Marks config={config} marks={marks} />}
    </TimeSeries>
  );
}

// The annotations: dashed lines where each begins and ends, a tint between them, a bar below.
function Marks({ config, marks }) {
  const theme = useTheme2();
  useLayoutEffect(() => {
    config.addHook('draw', (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height + 8);
      ctx.clip();
      for (const { from, to, color } of marks) {
        const [left, right] = [from, to].map((seconds) => plot.valToPos(seconds * 1000, 'x', true));
        const paint = theme.visualization.getColorByName(color);
        ctx.fillStyle = paint;
        ctx.globalAlpha = 0.08;
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
        ctx.globalAlpha = 0.9;
        ctx.fillRect(left, bbox.top + bbox.height, right - left, 4);
        ctx.strokeStyle = paint;
        ctx.setLineDash([4, 4]);
        ctx.beginPath();
        for (const x of [left, right]) {
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
        }
        ctx.stroke();
      }
      ctx.restore();
    });
  }, [config, marks, theme]);
  return null;
}

function Rows({ panel, frames, width, height }) {
  return (
    <Table data={frames[0]} width={width} height={height} cellHeight={panel.options.cellHeight} initialSortBy={panel.options.sortBy} columnMinWidth={50} resizable={false} />
  );
}
