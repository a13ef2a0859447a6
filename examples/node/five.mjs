// Five calls of the host with nothing but Node: COFFER_SOCKET=run/coffer.sock node five.mjs
import http from 'node:http';

const socketPath = process.env.COFFER_SOCKET ?? '/run/coffer/coffer.sock';
const agent = new http.Agent({ keepAlive: true });

/** Sends one request; gives the body of its answer, or throws what the host says. */
function call(method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, agent, method, path: '/v1/storages/files' + path, headers }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        if (answer.statusCode < 300) resolve(text);
        else reject(new Error(JSON.parse(text).detail));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const put = JSON.parse(await call('PUT', '/objects/hello/node.txt', 'hello from node\n'));
console.log('put', put.key, put.size);
process.stdout.write('get ' + (await call('GET', '/objects/hello/node.txt')));
const page = JSON.parse(await call('GET', '/objects?prefix=hello/'));
console.log('list', ...page.objects.map((object) => object.key));
const order = JSON.stringify({ from: 'hello/node.txt', to: 'hello/copy.txt', on_conflict: 'replace' });
console.log('copy', JSON.parse(await call('POST', '/copy', order, { 'Content-Type': 'application/json' })).key);
await call('DELETE', '/objects/hello/copy.txt');
console.log('delete hello/copy.txt');
agent.destroy();
