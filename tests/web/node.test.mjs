// The published client of grpc-web in node, with an XMLHttpRequest from npm, against the real
// program. Needs $PEDIGREED.
import {after, before, describe, test} from 'node:test';
import xhr2 from 'xhr2';

globalThis.XMLHttpRequest = xhr2.XMLHttpRequest;

const {Store, callsOf} = await import('./calls.mjs');
const {startStore} = await import('./server.mjs');

for (const format of ['binary', 'text']) {
  describe(`in node, ${format}`, () => {
    let server;
    before(async () => { server = await startStore(); });
    after(() => server.stop());
    for (const [name, call] of Object.entries(callsOf(format))) {
      test(name, () => call(new Store(server.url, format)));
    }
  });
}
