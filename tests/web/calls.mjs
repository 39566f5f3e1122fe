// What every client of grpc-web must be able to do, as functions that throw if it cannot. The same
// ones run in node and in a page.
import {Store} from './store.mjs';

function check(condition, what) {
  if (!condition) throw new Error(what);
}

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the call did not fail');
}

export const calls = {
  async 'a unary call answers ids as numbers'(store) {
    const id = await store.putArtifact('s3://bucket/ä');
    check(typeof id === 'number' && id > 0, `id ${id}`);
    const [artifact] = await store.getArtifacts([id]);
    check(artifact.id === id && artifact.typeId === 1, JSON.stringify(artifact));
    check(artifact.uri === 's3://bucket/ä', artifact.uri);
  },

  async 'an empty answer is an answer'(store) {
    check((await store.getArtifacts([])).length === 0, 'no artifacts were asked for');
  },

  async 'an error has its code and its text, whatever the script'(store) {
    const error = await errorOf(store.getArtifactType('Größe 模型 100 %'));
    check(error.code === 5, `code ${error.code}: ${error.message}`);
    check(error.message.includes('Größe 模型 100 %'), error.message);
  },

  async 'an unknown call is unimplemented'(store) {
    const error = await errorOf(store.call('NoSuchCall', new Uint8Array(), (bytes) => bytes));
    check(error.code === 12, `code ${error.code}: ${error.message}`);
  },

  async 'a deadline travels'(store) {
    check(await store.putArtifact('in time', {deadline: String(Date.now() + 60_000)}) > 0, 'no id');
  },

  async 'an answer of 10 MB arrives whole'(store) {
    const uri = 'Länge '.repeat(10 * 1024 * 1024 / 7);
    const id = await store.putArtifact(uri);
    const [artifact] = await store.getArtifacts([id]);
    check(artifact.uri.length === uri.length && artifact.uri === uri, `${artifact.uri.length}`);
  },
};

// Streams are for the text form only, as clients of grpc-web have it.
export const streams = {
  async 'a stream is answered message by message'(store) {
    const id = await store.putArtifact('to be traced');
    check(await store.trace(id) === 1, 'the artifact itself');
    const error = await errorOf(store.trace(1_000_000));
    check(error.code === 5, `code ${error.code}: ${error.message}`);
  },
};

export function callsOf(format) {
  return format === 'text' ? {...calls, ...streams} : calls;
}

export {Store};
