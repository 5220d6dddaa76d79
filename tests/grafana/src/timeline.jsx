// The panel "State timeline", which Grafana keeps to itself: a row a series, states as bars.
import { dateTimeFormat, getDisplayProcessor } from '@grafana/data';
import { VizLegend, useTheme2 } from '@grafana/ui';

const AXIS = 22;
const LEGEND = 34;

export function Timeline({ frames, range, width, height, step }) {
  const theme = useTheme2();
  const rows = frames.map((frame) => row(frame, step, theme));
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const left = Math.min(longest * 6.6 + 16, width * 0.4);
  const plot = { width: width - left - 12, height: height - AXIS - LEGEND };
  const each = plot.height / rows.length;
  const bar = Math.min(each * 0.8, 34);
  const x = (seconds) => left + ((seconds - range.from) / (range.to - range.from)) * plot.width;
  const states = new Map(rows.flatMap(({ bars }) => bars.map(({ text, color }) => [text, color])));
  const text = { fill: theme.colors.text.secondary, fontSize: 12, fontFamily: theme.typography.fontFamily };
  const ticks = ticksOf(range);
  return (
    <div>
      <svg width={width} height={height - LEGEND}>
        {rows.map(({ name, bars }, index) => (
          <g key={name}>
            <text x={left - 8} y={each * (index + 0.5)} dominantBaseline="central" textAnchor="end" {...text}>
              {name}
            </text>
            {bars.map(({ from, to, color }) => (
              <rect
                key={from}
                x={x(from)}
                width={Math.max(x(Math.min(to, range.to)) - x(from), 1)}
                y={each * (index + 0.5) - bar / 2}
                height={bar}
                fill={color}
                fillOpacity={0.8}
              />
            ))}
          </g>
        ))}
        {ticks.map((tick) => (
          <text key={tick} x={x(tick)} y={plot.height + 16} textAnchor="middle" {...text}>
            {dateTimeFormat(tick * 1000, { format: 'HH:mm', timeZone: 'utc' })}
          </text>
        ))}
      </svg>
      <VizLegend displayMode="list" placement="bottom" items={[...states].map(([label, color]) => ({ label, color, yAxis: 1 }))} />
    </div>
  );
}

// At whole minutes, at most eight of them.
function ticksOf({ from, to }) {
  const apart = [60, 120, 300, 600, 1800, 3600].find((apart) => (to - from) / apart <= 8) ?? 7200;
  const first = Math.ceil(from / apart) * apart;
  return Array.from({ length: Math.floor((to - first) / apart) + 1 }, (_, index) => first + index * apart);
}

// What is the same for a while is one bar.
function row(frame, step, theme) {
  const [time, value] = frame.fields;
  const display = getDisplayProcessor({ field: value, theme, timeZone: 'utc' });
  const bars = [];
  time.values.forEach((at, index) => {
    const seconds = at / 1000;
    const { text, color } = display(value.values[index]);
    const last = bars.at(-1);
    if (last && last.text === text && seconds - last.to <= step) {
      last.to = seconds + step;
    } else {
      bars.push({ from: seconds, to: seconds + step, text, color });
    }
  });
  return { name: value.config.displayName ?? value.config.displayNameFromDS, bars };
}
