// The few messages and calls of ml_metadata that these tests need, by hand: Debian's protoc has no
// generator for JavaScript. Runs in node and in browsers.
import grpcWeb from 'grpc-web';
import jspb from 'google-protobuf';

const SERVICE = '/ml_metadata.MetadataStoreService/';

// Reads a message: `fields` has a function (message, reader) for each field that matters.
function read(bytes, fields) {
  const message = {};
  const reader = new jspb.BinaryReader(bytes);
  while (reader.nextField()) {
    const field = fields[reader.getFieldNumber()];
    if (field) {
      field(message, reader);
    } else {
      reader.skipField();
    }
  }
  return message;
}

// Appends the numbers of a repeated field, packed or not.
function addNumbers(to, reader) {
  if (reader.isDelimited()) {
    reader.readPackableInt64Into(to);
  } else {
    to.push(reader.readInt64());
  }
}

const artifact = (bytes) => read(bytes, {
  1: (message, reader) => { message.id = reader.readInt64(); },
  2: (message, reader) => { message.typeId = reader.readInt64(); },
  3: (message, reader) => { message.uri = reader.readString(); },
});
const artifacts = (bytes) => read(bytes, {
  1: (message, reader) => (message.artifacts ??= []).push(artifact(reader.readBytes())),
});
const ids = (bytes) => read(bytes, {
  1: (message, reader) => addNumbers(message.ids ??= [], reader),
});
const traceNodes = (bytes) => read(bytes, {
  1: (message, reader) => { message.nodes = (message.nodes ?? 0) + 1; reader.skipField(); },
});

function write(fill) {
  const writer = new jspb.BinaryWriter();
  fill(writer);
  return writer.getResultBuffer();
}

function method(path, type, deserialize) {
  return new grpcWeb.MethodDescriptor(path, type, Object, Object, (bytes) => bytes, deserialize);
}

export class Store {
  // `format` is 'text' or 'binary'.
  constructor(host, format) {
    this.host = host;
    // By itself the client takes no more than 4 MB.
    this.client = new grpcWeb.GrpcWebClientBase({format, maxReceiveMessageSize: 64 << 20});
  }

  call(name, request, deserialize, metadata = {}) {
    const descriptor = method(SERVICE + name, grpcWeb.MethodType.UNARY, deserialize);
    return new Promise((resolve, reject) => {
      this.client.rpcCall(this.host + SERVICE + name, request, metadata, descriptor,
                          (error, answer) => error ? reject(error) : resolve(answer));
    });
  }

  putArtifact(uri, metadata) {
    const bytes = write((request) => request.writeMessage(1, {}, (_, writer) => {
      writer.writeInt64(2, 1);
      writer.writeString(3, uri);
    }));
    return this.call('PutArtifacts', bytes, ids, metadata).then((answer) => answer.ids[0]);
  }

  getArtifacts(wanted) {
    const bytes = write((request) => wanted.forEach((id) => request.writeInt64(1, id)));
    return this.call('GetArtifactsByID', bytes, artifacts).then((answer) => answer.artifacts ?? []);
  }

  allArtifacts() {
    return this.call('GetArtifacts', new Uint8Array(), artifacts)
        .then((answer) => answer.artifacts ?? []);
  }

  getArtifactType(name) {
    return this.call('GetArtifactType', write((request) => request.writeString(1, name)), ids);
  }

  // Nodes downstream of an artifact, by a stream.
  trace(id) {
    const path = '/pedigree.v1.LineageService/Trace';
    const bytes = write((request) => {
      request.writeMessage(1, {}, (_, start) => start.writeMessage(1, {}, (_, node) => {
        node.writeEnum(1, 1);
        node.writeInt64(2, id);
      }));
      request.writeEnum(2, 2);
    });
    const descriptor = method(path, grpcWeb.MethodType.SERVER_STREAMING, traceNodes);
    const stream = this.client.serverStreaming(this.host + path, bytes, {}, descriptor);
    return new Promise((resolve, reject) => {
      let nodes = 0;
      stream.on('data', (message) => { nodes += message.nodes ?? 0; });
      stream.on('error', reject);
      stream.on('end', () => resolve(nodes));
    });
  }
}
