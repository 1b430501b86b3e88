import { PbfReader, PbfWriter } from "pbf";
import { ProtocolError } from "../../../tree/errors.ts";
import { limits } from "../limits.ts";

/** A value with the protobuf field that carries it. Integers are as on the wire: two's complement without a sign. */
export type Carried =
  | { readonly in: "int" | "long"; readonly data: bigint }
  | { readonly in: "float" | "double"; readonly data: number }
  | { readonly in: "bool"; readonly data: boolean }
  | { readonly in: "string"; readonly data: string }
  | { readonly in: "bytes"; readonly data: Uint8Array };

/** A metric of a Sparkplug B payload, as far as it means something here. */
export interface Metric {
  readonly name?: string;
  readonly alias?: bigint;
  /** Ms since 1970. */
  readonly timestamp?: number;
  readonly datatype?: number;
  /** Something that was so earlier: not the value of now. */
  readonly historical?: boolean;
  /** Absent: null, or something that is not read here (a data set, a template). */
  readonly value?: Carried;
}

export interface Payload {
  /** Ms since 1970. */
  readonly timestamp?: number;
  readonly metrics: readonly Metric[];
  /** 0 to 255. */
  readonly seq?: number;
  /** There were more metrics than are read. */
  readonly cut?: boolean;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Field numbers of sparkplug_b.proto. */
const payloadField = { timestamp: 1, metrics: 2, seq: 3 } as const;
const metricField = { name: 1, alias: 2, timestamp: 3, datatype: 4, historical: 5, isNull: 7 } as const;
const valueFields: ReadonlyMap<number, Carried["in"]> = new Map([
  [10, "int"],
  [11, "long"],
  [12, "float"],
  [13, "double"],
  [14, "bool"],
  [15, "string"],
  [16, "bytes"],
]);
const fieldOf = new Map([...valueFields].map(([field, name]) => [name, field]));

/** Wire types of protobuf. */
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const wireOf: Readonly<Record<Carried["in"], number>> = {
  int: wire.varint,
  long: wire.varint,
  float: wire.fixed32,
  double: wire.fixed64,
  bool: wire.varint,
  string: wire.bytes,
  bytes: wire.bytes,
};

/**
 * Reads a Sparkplug B payload (Sparkplug 3.0, 6.4). Two levels deep and no deeper: templates, data sets and property sets are stepped over
 * without being looked into. At most `limits.metrics` metrics are read. A field of the wrong wire type is stepped over, as protobuf asks.
 * @throws ProtocolError: no protobuf, or cut off.
 */
export function readPayload(octets: Uint8Array): Payload {
  const metrics: Metric[] = [];
  const payload: Writable<Payload> = { metrics };
  const reader = new PbfReader(octets);
  try {
    eachField(reader, octets.length, (field) => {
      if (field === payloadField.metrics && reader.type === wire.bytes) {
        if (metrics.length < limits.metrics) metrics.push(readMetric(reader, endOfBytes(reader, octets.length)));
        else payload.cut = true;
      } else if (reader.type !== wire.varint) return;
      else if (field === payloadField.timestamp) payload.timestamp = Number(readLong(reader));
      else if (field === payloadField.seq) payload.seq = Number(readLong(reader));
    });
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    // The library throws plain errors.
    throw new ProtocolError("a Sparkplug payload that is no protobuf", { cause });
  }
  return payload;
}

function readMetric(reader: PbfReader, end: number): Metric {
  const metric: Writable<Metric> = {};
  let isNull = false;
  eachField(reader, end, (field) => {
    const name = valueFields.get(field);
    if (name !== undefined && reader.type === wireOf[name]) metric.value = readValue(reader, name, end);
    else if (field === metricField.name && reader.type === wire.bytes) metric.name = readText(reader, end);
    else if (reader.type !== wire.varint) return;
    else if (field === metricField.alias) metric.alias = readLong(reader);
    else if (field === metricField.timestamp) metric.timestamp = Number(readLong(reader));
    else if (field === metricField.datatype) metric.datatype = Number(readLong(reader));
    else if (field === metricField.historical) metric.historical = readLong(reader) !== 0n;
    else if (field === metricField.isNull) isNull = readLong(reader) !== 0n;
  });
  if (isNull) delete metric.value;
  return metric;
}

function readValue(reader: PbfReader, name: Carried["in"], end: number): Carried {
  switch (name) {
    case "int":
    case "long":
      return { in: name, data: readLong(reader) };
    case "float":
      return { in: name, data: reader.readFloat() };
    case "double":
      return { in: name, data: reader.readDouble() };
    case "bool":
      return { in: name, data: readLong(reader) !== 0n };
    case "string":
      return { in: name, data: readText(reader, end) };
    case "bytes":
      return { in: name, data: readOctets(reader, end) };
  }
}

/** Every field up to `end`; what `read` leaves is stepped over. @throws ProtocolError where a field reaches beyond. */
function eachField(reader: PbfReader, end: number, read: (field: number) => void): void {
  for (let field = reader.nextField(end); field !== 0; field = reader.nextField(end)) {
    read(field);
    if (reader.pos > end) break;
  }
  // Also where a field has the number 0, which protobuf does not have.
  if (reader.pos !== end) throw new ProtocolError("a Sparkplug payload that is cut off");
}

/** Where the text, octets or message that begins here ends. */
function endOfBytes(reader: PbfReader, end: number): number {
  const length = Number(readLong(reader));
  if (length > end - reader.pos) throw new ProtocolError("a Sparkplug payload that is cut off");
  return reader.pos + length;
}

function readOctets(reader: PbfReader, end: number): Uint8Array {
  const stop = endOfBytes(reader, end);
  const octets = reader.buf.subarray(reader.pos, stop);
  reader.pos = stop;
  return octets;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function readText(reader: PbfReader, end: number): string {
  return utf8.decode(readOctets(reader, end));
}

/** A varint of up to 64 bits, whole: the library's own are doubles. */
function readLong(reader: PbfReader): bigint {
  let [low, high] = [0, 0n];
  for (let octets = 0; octets < 10; octets++) {
    const octet = reader.buf[reader.pos++];
    if (octet === undefined) break;
    // 28 bits fit a number; most values end before.
    if (octets < 4) low |= (octet & 0x7f) << (7 * octets);
    else high |= BigInt(octet & 0x7f) << BigInt(7 * octets);
    if (octet < 0x80) return BigInt.asUintN(64, high | BigInt(low));
  }
  throw new ProtocolError("a Sparkplug payload with a number that does not end");
}

/** A payload as it travels. */
export function writePayload({ timestamp, metrics, seq }: Payload): Uint8Array {
  const writer = new PbfWriter();
  if (timestamp !== undefined) writeLong(writer, payloadField.timestamp, BigInt(timestamp));
  for (const metric of metrics) writer.writeMessage(payloadField.metrics, writeMetric, metric);
  if (seq !== undefined) writeLong(writer, payloadField.seq, BigInt(seq));
  return writer.finish();
}

function writeMetric({ name, alias, timestamp, datatype, historical, value }: Metric, writer: PbfWriter): void {
  if (name !== undefined) writeText(writer, metricField.name, name);
  if (alias !== undefined) writeLong(writer, metricField.alias, alias);
  if (timestamp !== undefined) writeLong(writer, metricField.timestamp, BigInt(timestamp));
  if (datatype !== undefined) writeLong(writer, metricField.datatype, BigInt(datatype));
  if (historical !== undefined) writeLong(writer, metricField.historical, historical ? 1n : 0n);
  if (value === undefined) return writeLong(writer, metricField.isNull, 1n);
  const field = fieldOf.get(value.in) ?? 0;
  switch (value.in) {
    case "int":
    case "long":
      return writeLong(writer, field, value.data);
    case "bool":
      return writeLong(writer, field, value.data ? 1n : 0n);
    case "float":
      writer.writeTag(field, wire.fixed32);
      return writer.writeFloat(value.data);
    case "double":
      writer.writeTag(field, wire.fixed64);
      return writer.writeDouble(value.data);
    case "string":
      return writeText(writer, field, value.data);
    case "bytes":
      writer.writeTag(field, wire.bytes);
      return writer.writeBytes(value.data);
  }
}

function writeText(writer: PbfWriter, field: number, text: string): void {
  writer.writeTag(field, wire.bytes);
  // Its own writeString gets characters beyond U+1FFFF wrong.
  writer.writeBytes(Buffer.from(text));
}

function writeLong(writer: PbfWriter, field: number, value: bigint): void {
  writer.writeTag(field, wire.varint);
  let rest = BigInt.asUintN(64, value);
  writer.realloc(10);
  for (; rest > 0x7fn; rest >>= 7n) writer.buf[writer.pos++] = Number(rest & 0x7fn) | 0x80;
  writer.buf[writer.pos++] = Number(rest);
}
