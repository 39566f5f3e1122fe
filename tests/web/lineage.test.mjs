// The page of `pedigree lineage --format html`, of 5,000 nodes, in headless Chromium: it opens from
// a file, searches, selects, pans and zooms, asks nothing of a network, and goes on drawing. Leaves
// screenshots beside the page. Needs $LINEAGE_PAGE (the page), $LINEAGE_SMALL_PAGE (one of some
// sixty nodes), and Chromium at $CHROMIUM or /usr/bin/chromium.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {chromium} from 'playwright-core';

// No task may hold the page for longer: people take more for a page that hangs. Usually none is
// long enough for the browser to list it (50 ms); the rest is for a machine that does other things.
const HANG_MS = 1000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND'],
});
after(() => browser.close());

async function openPage(file, options = {}) {
  const page = await browser.newPage({viewport: {width: 1440, height: 900}, ...options});
  page.problems = [];
  page.asked = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.problems.push(message.text());
  });
  page.on('request', (request) => page.asked.push(request.url()));
  await page.addInitScript(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration)))
        .observe({type: 'longtask', buffered: true});
  });
  await page.goto(pathToFileURL(file).href);
  await page.waitForFunction(() => document.getElementById('view').dataset.view !== undefined);
  return page;
}

// Where the view is: x, y and scale, once it stands still.
async function viewOf(page) {
  let before = '';
  for (;;) {
    const now = await page.evaluate(() => document.getElementById('view').dataset.view);
    if (now === before) return now.split(' ').map(Number);
    before = now;
    await page.waitForTimeout(400);
  }
}

function shot(page, name) {
  return page.screenshot({path: join(dirname(process.env.LINEAGE_PAGE), `lineage-${name}.png`)});
}

function press(page, key) {
  return page.evaluate(() => document.getElementById('view').focus()).then(() => page.keyboard.press(key));
}

async function searchFor(page, text) {
  await press(page, '/');
  await page.keyboard.type(text);
}

describe('a page of 5,000 nodes', () => {
  let page;
  before(async () => {
    page = await openPage(process.env.LINEAGE_PAGE);
  });
  after(() => page.close());

  test('says what it shows', async () => {
    assert.match(await page.title(), /transactions-raw/);
    const summary = await page.textContent('#summary');
    const counts = summary.match(/([\d,]+) artifacts · ([\d,]+) executions/).slice(1);
    const all = counts.map((count) => Number(count.replace(',', ''))).reduce((a, b) => a + b);
    assert.ok(all >= 5000 && all < 5010, summary);
    assert.equal(await page.locator('#legend button').count(), 8);
    await viewOf(page);
    await shot(page, 'start');
  });

  test('finds by name, and Enter goes there', async () => {
    await searchFor(page, 'fraud-20.7');
    assert.equal(await page.textContent('#count'), '4 found');
    assert.equal(await page.locator('#found li').first().locator('b').textContent(), 'fraud-20.7');
    await page.keyboard.press('Enter');
    assert.equal(await page.textContent('#panel h2'), 'fraud-20.7');
    assert.match(await page.textContent('#live'), /^fraud-20\.7, Model, artifact:\d+, LIVE: 1 edge in, 1 edge out$/);
    await viewOf(page);
    await shot(page, 'found');
    await page.keyboard.press('Enter');
    assert.equal(await page.textContent('#count'), '2 of 4');
    assert.notEqual(await page.textContent('#panel h2'), 'fraud-20.7');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.press('Escape');
    assert.equal(await page.textContent('#count'), '');
  });

  test('finds by property, and nothing where there is nothing', async () => {
    await searchFor(page, 'registry.example/train:1.3');
    assert.match(await page.textContent('#count'), /^\d+ found$/);
    assert.notEqual(await page.textContent('#count'), '0 found');
    await page.keyboard.press('Escape');
    await searchFor(page, 'no such thing');
    assert.equal(await page.textContent('#count'), '0 found');
    await page.keyboard.press('Escape');
  });

  test('a click on a node shows it, one beside it lets go', async () => {
    await searchFor(page, 'fraud-3.3');
    await page.keyboard.press('Enter');
    await press(page, 'Escape');
    assert.equal(await page.isHidden('#panel'), true);
    // The node is still in the middle of what was free then.
    await searchFor(page, 'auc-fraud-3.3');
    await page.keyboard.press('Enter');
    const [x, y, scale] = await viewOf(page);
    const node = await page.evaluate(() => {
      const data = JSON.parse(document.getElementById('data').textContent);
      const found = data.nodes.find((row) => row[3] === 'auc-fraud-3.3');
      return {x: found[11], y: found[12]};
    });
    await page.keyboard.press('Escape');
    await press(page, 'Escape');
    await page.mouse.click((node.x - x + 60) * scale, (node.y - y + 20) * scale);
    assert.equal(await page.textContent('#panel h2'), 'auc-fraud-3.3');
    await page.mouse.click((node.x - x + 60) * scale, (node.y - y - 8) * scale);
    assert.equal(await page.isHidden('#panel'), true);
  });

  test('keys go along the edges', async () => {
    await press(page, 'Home');
    assert.equal(await page.textContent('#panel h2'), 'transactions-raw');
    await press(page, 'ArrowRight');
    assert.match(await page.textContent('#panel h2'), /^prepare-week-/);
    await press(page, 'ArrowLeft');
    assert.equal(await page.textContent('#panel h2'), 'transactions-raw');
    await press(page, 'ArrowLeft');
    assert.equal(await page.textContent('#live'), 'Nothing is upstream');
  });

  test('the neighbours in the panel lead on', async () => {
    await press(page, 'Home');
    await page.locator('#panel li button').first().click();
    assert.match(await page.textContent('#panel h2'), /^prepare-week-/);
    await page.click('#panel .ways .up');
    assert.equal(await page.getAttribute('#panel .ways .up', 'aria-pressed'), 'true');
    assert.equal(await page.textContent('#panel .ways .up b'), '1');
    await press(page, 'b');
  });

  test('dragging pans, the wheel zooms, and frames go on', async () => {
    await press(page, 'Escape');
    await press(page, '0');
    const before = await viewOf(page);
    await page.evaluate(() => {
      window.tasks.length = 0;
      window.frames_ = 0;
      const count = () => {
        ++window.frames_;
        requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
    });
    await page.mouse.move(700, 450);
    await page.mouse.down();
    for (let i = 1; i <= 40; ++i) await page.mouse.move(700 + 6 * i, 450 + 3 * i);
    await page.mouse.up();
    const panned = await viewOf(page);
    assert.equal(panned[2], before[2]);
    assert.ok(Math.abs((before[0] - panned[0]) * before[2] - 240) < 12, `${before} -> ${panned}`);
    for (let i = 0; i < 20; ++i) await page.mouse.wheel(0, -120);
    const zoomed = await viewOf(page);
    assert.ok(zoomed[2] > 3 * panned[2], `${panned} -> ${zoomed}`);
    const {tasks, frames} = await page.evaluate(() => ({tasks: window.tasks, frames: window.frames_}));
    console.log(`${frames} frames; long tasks: ${tasks.length}, the longest ${Math.max(0, ...tasks)} ms`);
    assert.ok(frames > 10, `${frames} frames`);
    assert.ok(Math.max(0, ...tasks) < HANG_MS, `a task of ${Math.max(...tasks)} ms`);
    await press(page, '0');
    await viewOf(page);
    await shot(page, 'whole');
  });

  test('a type in the legend leaves only its nodes bright', async () => {
    await page.locator('#legend button').first().click();
    assert.equal(await page.getAttribute('#legend button >> nth=0', 'aria-pressed'), 'true');
    await page.locator('#legend button').first().click();
    assert.equal(await page.getAttribute('#legend button >> nth=0', 'aria-pressed'), 'false');
  });

  test('has no errors, and asked for nothing but itself', async () => {
    assert.deepEqual(page.problems, []);
    assert.equal(page.asked.length, 1);
  });

  test('its policy lets nothing in', async () => {
    const done = await page.evaluate(async () => {
      const element = document.createElement('script');
      element.textContent = 'window.injected = true';
      document.body.append(element);
      const fetched = await fetch('data:text/plain,x').then(() => true, () => false);
      return {injected: window.injected === true, fetched};
    });
    assert.deepEqual(done, {injected: false, fetched: false});
  });
});

describe('a small page', () => {
  test('in the dark', async () => {
    const page = await openPage(process.env.LINEAGE_SMALL_PAGE, {colorScheme: 'dark'});
    await viewOf(page);
    await shot(page, 'small-dark');
    await press(page, 't');
    assert.equal(await page.getAttribute('html', 'data-theme'), 'light');
    await searchFor(page, 'fraud-1.3');
    await page.keyboard.press('Enter');
    await viewOf(page);
    await shot(page, 'small-found');
    await press(page, '0');
    await viewOf(page);
    await shot(page, 'small');
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  test('on a telephone', async () => {
    const page = await openPage(process.env.LINEAGE_SMALL_PAGE, {viewport: {width: 390, height: 800}});
    await press(page, 'Home');
    await viewOf(page);
    await shot(page, 'narrow');
    assert.equal(await page.isVisible('#panel'), true);
    assert.deepEqual(page.problems, []);
    await page.close();
  });
});
