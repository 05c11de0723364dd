/**
 * Makes a Whisper encoder take windows of any length. Exports add the whole table of positions (1500 for 30 s), so that
 * five seconds cost as much as thirty; here the table is cut to the window's length inside the graph. Pure.
 *
 * Field numbers are those of onnx.proto.
 */
import { bytesField, type Field, integerField, integerOf, readFields, textField, textOf, writeFields } from "../onnx/protobuf.js";

const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 } as const;
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;
const ATTRIBUTE = { name: 1, integer: 3, type: 20 } as const;
const INT64 = 7;
const ATTRIBUTE_TYPE_INT = 2;
const PREFIX = "short_window/";

/** @param positions - rows of the table. @returns undefined when the graph has no such table added in one place */
export function withShortWindows(model: Uint8Array, positions: number): Uint8Array | undefined {
  const fields = readFields(model);
  const graph = fields.find(({ number }) => number === MODEL_GRAPH);
  const changed = graph === undefined ? undefined : changeGraph(readFields(graph.value), positions);
  if (changed === undefined) return undefined;
  return writeFields(fields.map((field) => (field === graph ? bytesField(MODEL_GRAPH, writeFields(changed)) : field)));
}

function changeGraph(fields: readonly Field[], positions: number): readonly Field[] | undefined {
  const tables = new Map<string, number>();
  for (const field of fields) {
    if (field.number !== GRAPH.initializer) continue;
    const { name, dims } = readTensor(field);
    // `[positions, width]`, or with a batch of one before it.
    if (dims.at(-2) === positions && (dims.length === 2 || (dims.length === 3 && dims[0] === 1))) tables.set(name, dims.length - 2);
  }
  const adders = fields.filter((field) => field.number === GRAPH.node && addsTable(field, tables));
  const [adder] = adders;
  if (adder === undefined || adders.length !== 1) return undefined;
  const inputs = inputsOf(adder);
  const table = inputs.find((name) => tables.has(name)) ?? "";
  const states = inputs.find((name) => name !== table) ?? "";
  return fields
    .flatMap((field) => {
      if (field === adder) return [...sliceNodes(states, table), replaceInput(field, table, `${PREFIX}table`)];
      // Shapes that were written down for the whole window hold no more.
      if (field.number === GRAPH.valueInfo) return [];
      if (field.number === GRAPH.input || field.number === GRAPH.output) return [freeShape(field)];
      return [field];
    })
    .concat(constants(tables.get(table) ?? 0));
}

function addsTable(node: Field, tables: ReadonlyMap<string, number>): boolean {
  const parts = readFields(node.value);
  const operator = parts.find(({ number }) => number === NODE.operator);
  return operator !== undefined && textOf(operator) === "Add" && inputsOf(node).some((name) => tables.has(name));
}

function inputsOf(node: Field): readonly string[] {
  return readFields(node.value).flatMap((part) => (part.number === NODE.input ? [textOf(part)] : []));
}

function replaceInput(node: Field, from: string, to: string): Field {
  const parts = readFields(node.value).map((part) => (part.number === NODE.input && textOf(part) === from ? textField(NODE.input, to) : part));
  return bytesField(GRAPH.node, writeFields(parts));
}

/** The states are `[batch, length, width]`: as many rows of the table as they are long. */
function sliceNodes(states: string, table: string): readonly Field[] {
  const axisZero = bytesField(
    NODE.attribute,
    writeFields([textField(ATTRIBUTE.name, "axis"), integerField(ATTRIBUTE.integer, 0), integerField(ATTRIBUTE.type, ATTRIBUTE_TYPE_INT)]),
  );
  return [
    node("Shape", [states], `${PREFIX}shape`),
    node("Gather", [`${PREFIX}shape`, `${PREFIX}one`], `${PREFIX}length`, [axisZero]),
    node("Slice", [table, `${PREFIX}zero`, `${PREFIX}length`, `${PREFIX}axis`], `${PREFIX}table`),
  ];
}

function node(operator: string, inputs: readonly string[], output: string, attributes: readonly Field[] = []): Field {
  const parts = [
    ...inputs.map((name) => textField(NODE.input, name)),
    textField(NODE.output, output),
    textField(NODE.name, output),
    textField(NODE.operator, operator),
  ];
  return bytesField(GRAPH.node, writeFields([...parts, ...attributes]));
}

function constants(axis: number): readonly Field[] {
  const constant = (name: string, value: number): Field => {
    const raw = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
    return bytesField(
      GRAPH.initializer,
      writeFields([
        integerField(TENSOR.dims, 1),
        integerField(TENSOR.dataType, INT64),
        textField(TENSOR.name, `${PREFIX}${name}`),
        bytesField(TENSOR.rawData, raw),
      ]),
    );
  };
  return [constant("zero", 0), constant("one", 1), constant("axis", axis)];
}

function readTensor({ value }: Field): { readonly name: string; readonly dims: readonly number[] } {
  const dims: number[] = [];
  let name = "";
  for (const part of readFields(value)) {
    if (part.number === TENSOR.name) name = textOf(part);
    // Packed or one by one: both are allowed.
    else if (part.number === TENSOR.dims && part.wireType === 2) dims.push(...readPacked(part.value));
    else if (part.number === TENSOR.dims) dims.push(integerOf(part));
  }
  return { name, dims };
}

function readPacked(bytes: Uint8Array): readonly number[] {
  const values: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
    scale = 1;
  }
  return values;
}

const VALUE_TYPE = 2;
const TENSOR_TYPE = 1;
const SHAPE = 2;
const DIMENSION = 1;
const DIMENSION_VALUE = 1;
const DIMENSION_NAME = 2;

/** Of an input or output, the dimension that is time: the last one of the features, the second of the states; any is named. */
function freeShape(value: Field): Field {
  const inside = (fields: readonly Field[], number: number, change: (fields: readonly Field[]) => readonly Field[]): readonly Field[] =>
    fields.map((field) => (field.number === number ? bytesField(number, writeFields(change(readFields(field.value)))) : field));
  let dimension = 0;
  const changed = inside(readFields(value.value), VALUE_TYPE, (type) =>
    inside(type, TENSOR_TYPE, (tensor) =>
      inside(tensor, SHAPE, (shape) =>
        inside(shape, DIMENSION, (parts) => {
          dimension++;
          return parts.some(({ number }) => number === DIMENSION_VALUE) && dimension !== 1
            ? [textField(DIMENSION_NAME, `${PREFIX}dimension_${dimension}`)]
            : parts;
        }),
      ),
    ),
  );
  return bytesField(value.number, writeFields(changed));
}
