// Draws every dashboard with what a Prometheus has of a time: `node draw.mjs PROMETHEUS FROM TO [NAME...]`.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const [prometheus, from, to, ...names] = process.argv.slice(2);
const root = new URL('../../', import.meta.url).pathname;
const CHOSEN = { endpoint: { service: ['tenant-attach'], endpoint: ['gateway'] }, routes: { route: ['branch', 'corp', 'direct'] } };
const DASHBOARDS = ['overview', 'endpoint', 'routes', 'certificates', 'reachd'];

const server = await createServer({ root: import.meta.dirname, server: { host: '127.0.0.1', port: 0 } });
await server.listen();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});
for (const name of names.length ? names : DASHBOARDS) {
  const text = readFileSync(`${root}dashboards/${name}.json`);
  const wanted = { dashboard: JSON.parse(text), prometheus, range: { from: Number(from), to: Number(to) }, chosen: CHOSEN[name] ?? {} };
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack.split("\n").slice(0, 4).join("\n")}`));
  page.on('console', (message) => message.type() === 'error' && console.error(`${name}: ${message.text()}`));
  // Grafana has its fonts elsewhere.
  await page.route('**/public/fonts/inter/*.woff2', (route) => {
    const weight = route.request().url().includes('Medium') ? 500 : 400;
    return route.fulfill({ path: `${import.meta.dirname}/node_modules/@fontsource/inter/files/inter-latin-${weight}-normal.woff2` });
  });
  await page.addInitScript((wanted) => {
    window.wanted = wanted;
  }, wanted);
  await page.goto(server.resolvedUrls.local[0]);
  await page.waitForFunction(() => window.failed || document.getElementById('dashboard'), null, { timeout: 20_000 });
  const failed = await page.evaluate(() => window.failed);
  if (failed) {
    throw new Error(`${name}: ${failed}`);
  }
  // Graphs are drawn in the frame after their container, and fonts arrive when somebody wants them.
  await page.waitForTimeout(2_000);
  await page.locator('#dashboard').screenshot({ path: `${root}docs/dashboards/${name}.png`, animations: 'disabled' });
  writeFileSync(`${root}docs/dashboards/${name}.sha256`, `${createHash('sha256').update(text).digest('hex')}  ${name}.json\n`);
  await page.close();
}
await browser.close();
await server.close();
