// Draws one dashboard. `window.wanted` says which, from which Prometheus, of which time, and what is chosen.
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { EventBusSrv, ThemeContext, createTheme, dateTimeFormat } from '@grafana/data';
import { GlobalStyles, PanelChrome, PanelContextProvider, useTheme2 } from '@grafana/ui';
import { frames, rateInterval, regions, stepOf } from './prometheus.js';
import { interpolate, load, repeated, shown } from './variables.js';
import { configured, transformed } from './fields.js';
import { Panel } from './panels.jsx';

const WIDTH = 1600;
const PADDING = 16;
const HEADER = 96;
// Of Grafana's grid: a cell is so high, with so much between them.
const CELL = 30;
const GAP = 8;

const { dashboard, prometheus, range, chosen } = window.wanted;
const theme = createTheme({ colors: { mode: 'dark' } });

async function filled(panel) {
  const points = (WIDTH * panel.gridPos.w) / 24;
  const step = stepOf(range, points);
  const builtin = { __rate_interval: `${rateInterval(step)}s`, __interval: `${step}s`, __range: `${range.to - range.from}s` };
  const targets = panel.targets ?? [];
  const asked = targets.map((target) => frames(prometheus, target, interpolate(target.expr, panel.variables, builtin), range, step, targets.length > 1));
  const raw = (await Promise.all(asked)).flat().filter((frame) => frame.length > 0);
  const data = configured(await transformed(raw, panel.transformations ?? []), panel.fieldConfig, theme);
  return { panel, data, step };
}

async function everything() {
  const variables = await load(dashboard, prometheus, range, chosen);
  const panels = repeated(dashboard.panels, variables);
  const rows = panels.filter(({ type }) => type === 'row');
  const drawn = await Promise.all(panels.filter(({ type }) => type !== 'row').map(filled));
  const annotations = dashboard.annotations.list.filter(({ enable }) => enable);
  const marks = await Promise.all(
    annotations.map(async ({ expr, iconColor }) => (await regions(prometheus, expr, range)).map((region) => ({ ...region, color: iconColor })))
  );
  return { variables, rows, drawn, marks: marks.flat() };
}

function place({ x, y, w, h }) {
  const column = (WIDTH - 2 * PADDING + GAP) / 24;
  return { left: PADDING + x * column, top: HEADER + y * (CELL + GAP), width: w * column - GAP, height: h * (CELL + GAP) - GAP };
}

function Header({ variables }) {
  const theme = useTheme2();
  const at = (seconds) => dateTimeFormat(seconds * 1000, { format: 'YYYY-MM-DD HH:mm', timeZone: 'utc' });
  const box = { background: theme.colors.background.primary, border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2, padding: '4px 10px' };
  return (
    <header style={{ position: 'absolute', left: PADDING, right: PADDING, top: 12 }}>
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', marginBottom: 10 }}>
        <span style={{ fontSize: 20, fontWeight: 500 }}>{dashboard.title}</span>
        <span style={{ display: 'flex', gap: 8 }}>
          {dashboard.links.map(({ title }) => (
            <span key={title} style={{ ...box, color: theme.colors.text.secondary }}>{title}</span>
          ))}
          <span style={box}>{`${at(range.from)} to ${at(range.to).slice(11)} UTC`}</span>
        </span>
      </div>
      <div style={{ display: 'flex', gap: 8 }}>
        {Object.entries(variables).map(([name, variable]) => (
          <span key={name} style={{ display: 'flex' }}>
            <span style={{ ...box, background: theme.colors.background.secondary, color: theme.colors.text.secondary }}>{variable.label}</span>
            <span style={{ ...box, borderLeft: 0 }}>{shown(variable)}</span>
          </span>
        ))}
      </div>
    </header>
  );
}

function Dashboard() {
  const [found, setFound] = useState();
  useEffect(() => {
    everything().then(setFound, (error) => {
      window.failed = String(error.stack ?? error);
    });
  }, []);
  if (!found) {
    return null;
  }
  const { variables, rows, drawn, marks } = found;
  const places = [...rows, ...drawn.map(({ panel }) => panel)].map(({ gridPos }) => place(gridPos));
  const bottom = Math.max(...places.map(({ top, height }) => top + height));
  return (
    <div id="dashboard" style={{ position: 'relative', width: WIDTH, height: bottom + PADDING, background: theme.colors.background.canvas }}>
      <Header variables={variables} />
      {rows.map(({ id, title, gridPos }) => (
        <div key={id} style={{ position: 'absolute', ...place(gridPos), display: 'flex', alignItems: 'center', fontWeight: 500, fontSize: 16 }}>
          {title}
        </div>
      ))}
      {drawn.map(({ panel, data, step }) => {
        const { left, top, width, height } = place(panel.gridPos);
        return (
          <div key={panel.id} style={{ position: 'absolute', left, top, width, height }}>
            <PanelChrome title={interpolate(panel.title, panel.variables)} description={panel.description} width={width} height={height} padding="sm">
              {(innerWidth, innerHeight) => (
                <Panel panel={panel} frames={data} width={innerWidth} height={innerHeight} range={range} step={step} marks={marks} />
              )}
            </PanelChrome>
          </div>
        );
      })}
    </div>
  );
}

createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <PanelContextProvider value={{ eventsScope: 'drawn', eventBus: new EventBusSrv() }}>
      <Dashboard />
    </PanelContextProvider>
  </ThemeContext.Provider>
);
