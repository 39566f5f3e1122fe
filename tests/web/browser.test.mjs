// The same client in pages of a real headless Chromium: of an origin that is allowed, of one that
// is not, and of the store's own. Needs $PEDIGREED, and Chromium at $CHROMIUM or /usr/bin/chromium.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import esbuild from 'esbuild';
import {chromium} from 'playwright-core';
import xhr2 from 'xhr2';

globalThis.XMLHttpRequest = xhr2.XMLHttpRequest;

const {Store, callsOf} = await import('./calls.mjs');
const {startPages, startStore} = await import('./server.mjs');

const bundle = await esbuild.build({
  entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
  bundle: true, write: false, format: 'iife', target: 'es2022',
});
const script = bundle.outputFiles[0].text;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu',
    // Nothing but this machine.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
});
after(() => browser.close());

// A page of pages served at `url`.
async function openPage(url) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(String(error)));
  await page.goto(url);
  return page;
}

function makeCall(page, ...of) {
  return page.evaluate((all) => window.makeCall(...all), of);
}

function expectAllCalls(context) {
  for (const format of ['binary', 'text']) {
    for (const name of Object.keys(callsOf(format))) {
      test(`${name} (${format})`, async () => {
        assert.equal(await makeCall(context.page, context.url, format, name), '');
      });
    }
  }
}

function expectNoCalls(context) {
  test('no call reaches the store', async () => {
    for (const format of ['binary', 'text']) {
      const name = 'a unary call answers ids as numbers';
      assert.notEqual(await makeCall(context.page, context.url, format, name), '');
    }
    assert.deepEqual(await new Store(context.url, 'binary').allArtifacts(), []);
  });
}

// Pages of `pages`, calling `store`, both made by `start`.
function describePages(what, start, expect) {
  describe(what, () => {
    const context = {};
    before(async () => {
      Object.assign(context, await start());
      context.page = await openPage(context.pages.url);
    });
    after(async () => {
      await context.page.close();
      await context.pages.stop();
      await context.store.stop();
    });
    expect(context);
  });
}

describePages('a page of an origin that is allowed', async () => {
  const pages = await startPages(script);
  const store = await startStore(`--http_allow_origins=http://localhost:1,${pages.url}`);
  return {pages, store, url: store.url};
}, expectAllCalls);

describePages('a page of an origin that is not allowed', async () => {
  const pages = await startPages(script);
  const store = await startStore('--http_allow_origins=http://localhost:1');
  return {pages, store, url: store.url};
}, expectNoCalls);

describePages('a page of another origin, where none is allowed', async () => {
  const pages = await startPages(script);
  const store = await startStore();
  return {pages, store, url: store.url};
}, expectNoCalls);

describePages('a page of the same origin, through a proxy', async () => {
  const store = await startStore();
  const pages = await startPages(script, store.port);
  return {pages, store, url: pages.url};
}, expectAllCalls);
