// A pedigreed of its own for a test, and small servers for pages.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import http from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

// Starts the program that $PEDIGREED names, on free ports of the loopback interface.
export async function startStore(...flags) {
  const directory = await mkdtemp(join(tmpdir(), 'pedigree-web-'));
  const child = spawn(process.env.PEDIGREED, [
    `--data_dir=${join(directory, 'data')}`, '--listen=127.0.0.1', '--grpc_port=0',
    '--http_port=0', ...flags,
  ], {stdio: ['ignore', 'ignore', 'pipe']});
  const ended = once(child, 'exit');
  let log = '';
  const port = await new Promise((resolve, reject) => {
    child.stderr.on('data', (data) => {
      log += data;
      const found = log.match(/, HTTP port (\d+)/);
      if (found) resolve(Number(found[1]));
    });
    ended.then(() => reject(new Error(`pedigreed ended: ${log}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    // Resolves if it ends well.
    async stop() {
      child.kill('SIGTERM');
      const [code, signal] = await ended;
      await rm(directory, {recursive: true});
      if (code !== 0) throw new Error(`pedigreed ended with ${code ?? signal}: ${log}`);
    },
  };
}

// Serves one page with one script; everything else goes to the store on `proxyPort`, if given, as
// a proxy in front of both would have it.
export async function startPages(script, proxyPort) {
  const agent = new http.Agent({keepAlive: true});
  const server = http.createServer((request, response) => {
    if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!DOCTYPE html><title>Pedigree</title><script src="/page.js"></script>');
    } else if (request.url === '/page.js') {
      response.setHeader('Content-Type', 'text/javascript; charset=utf-8');
      response.end(script);
    } else if (proxyPort) {
      const forwarded = http.request({
        agent, host: '127.0.0.1', port: proxyPort, method: request.method, path: request.url,
        headers: request.headers,
      }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      forwarded.on('error', (error) => response.destroy(error));
      request.pipe(forwarded);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
