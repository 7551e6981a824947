"use strict";
// A network of ONNX operators (https://onnx.ai/onnx/operators/) on the processor, one image at a time.
// A tensor is {shape, data}: data is a Float32Array, or an Int32Array of integers and booleans, in row-major order.

const size = shape => shape.reduce((a, b) => a * b, 1);
const tensor = (shape, data) => ({ shape, data });
const like = (data, n) => data instanceof Int32Array ? new Int32Array(n) : new Float32Array(n);
const positive = (axis, rank) => axis < 0 ? axis + rank : axis;

function strides(shape) {
  const found = new Array(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis--]) found[axis] = step;
  return found;
}

// calls visit(position in the output, position in the input) for every element of an array of that shape
function walk(shape, steps, start, visit) {
  const rank = shape.length, index = new Array(rank).fill(0), n = size(shape);
  for (let out = 0, at = start; out < n; out++) {
    visit(out, at);
    for (let axis = rank - 1; axis >= 0; axis--) {
      at += steps[axis];
      if (++index[axis] < shape[axis]) break;
      at -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

function take(x, shape, steps, start = 0) {
  const data = like(x.data, size(shape));
  walk(shape, steps, start, (out, at) => { data[out] = x.data[at]; });
  return tensor(shape, data);
}

function broadcastShape(...shapes) {
  const rank = Math.max(...shapes.map(shape => shape.length)), found = new Array(rank).fill(1);
  for (const shape of shapes)
    shape.forEach((side, axis) => { if (side !== 1) found[axis + rank - shape.length] = side; });
  return found;
}

function stepsFor(x, shape) {
  const own = strides(x.shape), more = shape.length - x.shape.length;
  return shape.map((_, axis) => axis < more || x.shape[axis - more] === 1 ? 0 : own[axis - more]);
}

const expand = (x, shape) => String(x.shape) === String(shape) ? x : take(x, shape, stepsFor(x, shape));

function binary(f, whole) {
  return ([a, b]) => {
    const shape = broadcastShape(a.shape, b.shape), [p, q] = [expand(a, shape).data, expand(b, shape).data];
    const data = whole ? new Int32Array(p.length) : like(p, p.length);
    for (let i = 0; i < p.length; i++) data[i] = f(p[i], q[i]);
    return tensor(shape, data);
  };
}

function unary(f) {
  return ([x], attributes) => {
    const data = new Float32Array(x.data.length);
    for (let i = 0; i < data.length; i++) data[i] = f(x.data[i], attributes);
    return tensor(x.shape, data);
  };
}

function reduce(start, f, end) {
  return ([x, given], { axes = given ? Array.from(given.data) : null, keepdims = 1 }) => {
    const rank = x.shape.length;
    axes = (axes || x.shape.map((_, axis) => axis)).map(axis => positive(axis, rank));
    const kept = x.shape.map((side, axis) => axes.includes(axis) ? 1 : side);
    const totals = new Float64Array(size(kept)).fill(start), steps = stepsFor(tensor(kept), x.shape);
    walk(x.shape, steps, 0, (at, out) => { totals[out] = f(totals[out], x.data[at]); });
    const count = x.data.length / totals.length;
    const shape = keepdims ? kept : kept.filter((_, axis) => !axes.includes(axis));
    return tensor(shape, like(x.data, totals.length).map((_, i) => end ? end(totals[i], count) : totals[i]));
  };
}

function matmul([a, b]) {
  const [rows, depth] = a.shape.slice(-2), columns = b.shape[b.shape.length - 1];
  const outer = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const p = expand(a, [...outer, rows, depth]).data, q = expand(b, [...outer, depth, columns]).data;
  const data = new Float32Array(size(outer) * rows * columns), sum = new Float64Array(columns);
  for (let one = 0; one < size(outer); one++)
    for (let row = 0; row < rows; row++) {
      sum.fill(0);
      for (let k = 0; k < depth; k++) {
        const value = p[(one * rows + row) * depth + k], from = (one * depth + k) * columns;
        if (value !== 0) for (let column = 0; column < columns; column++) sum[column] += value * q[from + column];
      }
      data.set(sum, (one * rows + row) * columns);
    }
  return tensor([...outer, rows, columns], data);
}

function gemm([a, b, c], { alpha = 1, beta = 1, transA = 0, transB = 0 }) {
  const turned = x => take(x, [x.shape[1], x.shape[0]], [1, x.shape[1]]);
  const made = matmul([transA ? turned(a) : a, transB ? turned(b) : b]);
  if (c) {
    const added = expand(c, made.shape).data;
    for (let i = 0; i < added.length; i++) made.data[i] = alpha * made.data[i] + beta * added[i];
  } else if (alpha !== 1) made.data = made.data.map(value => alpha * value);
  return made;
}

function padsOf({ auto_pad = "NOTSET", pads = [0, 0, 0, 0] }, sides, kernel, stride, dilation) {
  if (!auto_pad.startsWith("SAME")) return auto_pad === "VALID" ? [0, 0, 0, 0] : pads;
  const all = sides.map((side, axis) => Math.max(0,
    (Math.ceil(side / stride[axis]) - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 - side));
  const first = all.map(n => auto_pad === "SAME_LOWER" ? Math.ceil(n / 2) : Math.floor(n / 2));
  return [...first, ...all.map((n, axis) => n - first[axis])];
}

function conv([x, w, bias], attributes) {
  const { group = 1, strides: stride = [1, 1], dilations: dilation = [1, 1] } = attributes;
  const [n, channels, height, width] = x.shape, [filters, depth, kh, kw] = w.shape;
  const [top, left, bottom, right] = padsOf(attributes, [height, width], [kh, kw], stride, dilation);
  const rows = Math.floor((height + top + bottom - (kh - 1) * dilation[0] - 1) / stride[0]) + 1;
  const columns = Math.floor((width + left + right - (kw - 1) * dilation[1] - 1) / stride[1]) + 1;
  const data = new Float32Array(n * filters * rows * columns), sum = new Float64Array(rows * columns);
  for (let one = 0; one < n; one++)
    for (let f = 0; f < filters; f++) {
      sum.fill(bias ? bias.data[f] : 0);
      const first = Math.floor(f / (filters / group)) * depth;
      for (let c = 0; c < depth; c++) {
        const plane = (one * channels + first + c) * height * width;
        for (let i = 0; i < kh; i++)
          for (let j = 0; j < kw; j++) {
            const weight = w.data[((f * depth + c) * kh + i) * kw + j];
            if (weight === 0) continue;
            for (let row = 0; row < rows; row++) {
              const y = row * stride[0] - top + i * dilation[0];
              if (y < 0 || y >= height) continue;
              let from = plane + y * width, to = row * columns;
              for (let column = 0, at = j * dilation[1] - left; column < columns; column++, at += stride[1])
                if (at >= 0 && at < width) sum[to + column] += weight * x.data[from + at];
            }
          }
      }
      data.set(sum, (one * filters + f) * rows * columns);
    }
  return tensor([n, filters, rows, columns], data);
}

function convTranspose([x, w, bias], attributes) {
  const { group = 1, strides: stride = [1, 1], dilations: dilation = [1, 1], output_padding: more = [0, 0],
    output_shape: wanted, auto_pad = "NOTSET" } = attributes;
  const [n, channels, height, width] = x.shape, [, depth, kh, kw] = w.shape, filters = depth * group;
  const whole = [[height, kh], [width, kw]].map(([side, kernel], axis) =>
    (side - 1) * stride[axis] + more[axis] + (kernel - 1) * dilation[axis] + 1);
  let pads = attributes.pads || [0, 0, 0, 0], sides = wanted;
  if (wanted || auto_pad.startsWith("SAME")) {
    sides = wanted ? wanted.slice(-2) : [height * stride[0], width * stride[1]];
    const all = sides.map((side, axis) => Math.max(0, whole[axis] - side));
    const first = all.map(n => auto_pad === "SAME_UPPER" ? Math.floor(n / 2) : Math.ceil(n / 2));
    pads = [...first, ...all.map((n, axis) => n - first[axis])];
  } else sides = whole.map((side, axis) => side - pads[axis] - pads[axis + 2]);
  const [rows, columns] = sides, data = new Float32Array(n * filters * rows * columns);
  const sum = new Float64Array(rows * columns);
  for (let one = 0; one < n; one++)
    for (let f = 0; f < filters; f++) {
      sum.fill(bias ? bias.data[f] : 0);
      const part = Math.floor(f / depth), each = channels / group;
      for (let c = part * each; c < (part + 1) * each; c++) {
        const plane = (one * channels + c) * height * width;
        for (let i = 0; i < kh; i++)
          for (let j = 0; j < kw; j++) {
            const weight = w.data[((c * depth + f % depth) * kh + i) * kw + j];
            for (let y = 0; y < height; y++) {
              const row = y * stride[0] - pads[0] + i * dilation[0];
              if (row < 0 || row >= rows) continue;
              for (let z = 0, at = j * dilation[1] - pads[1]; z < width; z++, at += stride[1])
                if (at >= 0 && at < columns) sum[row * columns + at] += weight * x.data[plane + y * width + z];
            }
          }
      }
      data.set(sum, (one * filters + f) * rows * columns);
    }
  return tensor([n, filters, rows, columns], data);
}

function reshape([x, wanted]) {
  const shape = Array.from(wanted.data, (side, axis) => side === 0 ? x.shape[axis] : side);
  const free = shape.indexOf(-1);
  if (free >= 0) shape[free] = x.data.length / -size(shape);
  return tensor(shape, x.data);
}

function transpose([x], { perm = x.shape.map((_, axis) => x.shape.length - 1 - axis) }) {
  const own = strides(x.shape);
  return take(x, perm.map(axis => x.shape[axis]), perm.map(axis => own[axis]));
}

function concat(parts, { axis }) {
  axis = positive(axis, parts[0].shape.length);
  const shape = parts[0].shape.slice();
  shape[axis] = parts.reduce((total, part) => total + part.shape[axis], 0);
  const outer = size(shape.slice(0, axis)), inner = size(shape.slice(axis + 1)), data = like(parts[0].data, size(shape));
  let to = 0;
  for (let one = 0; one < outer; one++)
    for (const part of parts) {
      const n = part.shape[axis] * inner;
      data.set(part.data.subarray(one * n, (one + 1) * n), to);
      to += n;
    }
  return tensor(shape, data);
}

function slice([x, begins, ends, axes, jumps]) {
  const shape = x.shape.slice(), steps = strides(x.shape);
  let start = 0;
  Array.from(begins.data).forEach((begin, i) => {
    const axis = positive(axes ? axes.data[i] : i, shape.length), side = x.shape[axis], jump = jumps ? jumps.data[i] : 1;
    const clip = (value, low, high) => Math.min(Math.max(value < 0 ? value + side : value, low), high);
    const from = clip(begin, 0, jump > 0 ? side : side - 1), to = jump < 0 && ends.data[i] < -side
      ? -1 : clip(ends.data[i], jump > 0 ? 0 : -1, side);
    shape[axis] = Math.max(0, Math.ceil((to - from) / jump));
    start += from * steps[axis];
    steps[axis] *= jump;
  });
  return take(x, shape, steps, start);
}

function split([x, sizes], { axis = 0, split: given, num_outputs: count }, outputs) {
  axis = positive(axis, x.shape.length);
  let sides = sizes ? Array.from(sizes.data) : given;
  if (!sides) sides = new Array(count || outputs).fill(x.shape[axis] / (count || outputs));
  const own = strides(x.shape);
  let from = 0;
  return sides.map(side => {
    const part = take(x, x.shape.map((old, at) => at === axis ? side : old), own, from * own[axis]);
    from += side;
    return part;
  });
}

function gather([x, indices], { axis = 0 }) {
  axis = positive(axis, x.shape.length);
  const outer = size(x.shape.slice(0, axis)), side = x.shape[axis], inner = size(x.shape.slice(axis + 1));
  const n = indices.data.length, data = like(x.data, outer * n * inner);
  for (let one = 0; one < outer; one++)
    for (let i = 0; i < n; i++) {
      const from = (one * side + positive(indices.data[i], side)) * inner;
      data.set(x.data.subarray(from, from + inner), (one * n + i) * inner);
    }
  return tensor([...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], data);
}

function oneHot([indices, depth, values], { axis = -1 }) {
  const n = depth.data[0], shape = indices.shape.slice(), [off, on] = values.data;
  shape.splice(positive(axis, shape.length + 1), 0, n);
  const steps = strides(shape), at = positive(axis, shape.length), data = like(values.data, size(shape)).fill(off);
  const kept = steps.filter((_, i) => i !== at);
  walk(indices.shape, kept, 0, (i, to) => {
    const index = positive(indices.data[i], n);
    if (index >= 0 && index < n) data[to + index * steps[at]] = on;
  });
  return tensor(shape, data);
}

function pad([x, given, value], { mode = "constant", pads = Array.from(given.data) }) {
  const rank = x.shape.length, shape = x.shape.map((side, axis) => side + pads[axis] + pads[axis + rank]);
  const own = strides(x.shape), data = like(x.data, size(shape)).fill(value ? value.data[0] : 0);
  const source = shape.map((long, axis) => Array.from({ length: long }, (_, i) => {
    const side = x.shape[axis], at = i - pads[axis];
    if (at >= 0 && at < side) return at;
    if (mode === "constant") return -1;
    if (mode === "edge") return Math.min(Math.max(at, 0), side - 1);
    const period = 2 * (side - 1), there = ((at % period) + period) % period;
    return there < side ? there : period - there;
  }));
  const index = new Array(rank).fill(0);
  for (let out = 0; out < data.length; out++) {
    let from = 0, inside = true;
    for (let axis = 0; axis < rank; axis++) {
      const at = source[axis][index[axis]];
      if (at < 0) inside = false;
      from += at * own[axis];
    }
    if (inside) data[out] = x.data[from];
    for (let axis = rank - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return tensor(shape, data);
}

function resize([x, , scales, sizes], attributes) {
  const { mode = "nearest", coordinate_transformation_mode: kind = "half_pixel", nearest_mode: side = "round_prefer_floor" }
    = attributes;
  const shape = sizes && sizes.data.length ? Array.from(sizes.data)
    : x.shape.map((old, axis) => Math.floor(old * scales.data[axis]));
  const round = { floor: Math.floor, ceil: Math.ceil, round_prefer_ceil: Math.round,
    round_prefer_floor: value => Math.ceil(value - 0.5) }[side];
  let made = x;
  shape.forEach((long, axis) => { // one axis after the other
    const old = x.shape[axis];
    if (long === old) return;
    const scale = long / old, own = strides(made.shape), next = made.shape.slice();
    next[axis] = long;
    const outer = size(next.slice(0, axis)), inner = size(next.slice(axis + 1)), data = like(made.data, size(next));
    for (let i = 0; i < long; i++) {
      const at = kind === "asymmetric" ? i / scale : kind === "align_corners" ? i * (old - 1) / Math.max(1, long - 1)
        : kind === "tf_half_pixel_for_nn" ? (i + 0.5) / scale : (i + 0.5) / scale - 0.5;
      const clip = value => Math.min(Math.max(value, 0), old - 1);
      const [low, high, share] = mode === "nearest" ? [clip(round(at)), 0, 0]
        : [clip(Math.floor(at)), clip(Math.floor(at) + 1), at - Math.floor(at)];
      for (let one = 0; one < outer; one++)
        for (let k = 0; k < inner; k++) {
          const first = made.data[one * old * inner + low * inner + k];
          data[(one * long + i) * inner + k] = share
            ? first * (1 - share) + share * made.data[one * old * inner + high * inner + k] : first;
        }
    }
    made = tensor(next, data);
  });
  return made;
}

function pool(first, f, end) {
  return ([x], attributes) => {
    const { kernel_shape: kernel, strides: stride = [1, 1], count_include_pad: all = 0 } = attributes;
    const [n, channels, height, width] = x.shape;
    const [top, left, bottom, right] = padsOf(attributes, [height, width], kernel, stride, [1, 1]);
    const rows = Math.floor((height + top + bottom - kernel[0]) / stride[0]) + 1;
    const columns = Math.floor((width + left + right - kernel[1]) / stride[1]) + 1;
    const data = new Float32Array(n * channels * rows * columns);
    for (let plane = 0, out = 0; plane < n * channels; plane++)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++, out++) {
          let total = first, count = 0;
          for (let i = 0; i < kernel[0]; i++)
            for (let j = 0; j < kernel[1]; j++) {
              const y = row * stride[0] - top + i, z = column * stride[1] - left + j;
              if (y < 0 || y >= height || z < 0 || z >= width) continue;
              total = f(total, x.data[(plane * height + y) * width + z]);
              count++;
            }
          data[out] = end(total, all ? kernel[0] * kernel[1] : count);
        }
    return tensor([n, channels, rows, columns], data);
  };
}

// of channels on the second axis: scale * (x - mean) / sqrt(variance + epsilon) + bias
function normalization([x, scale, bias, mean, variance], { epsilon = 1e-5 }) {
  const [n, channels] = x.shape, plane = x.data.length / n / channels, data = new Float32Array(x.data.length);
  for (let one = 0; one < n * channels; one++) {
    const c = one % channels, part = x.data.subarray(one * plane, (one + 1) * plane);
    let centre = mean && mean.data[c], spread = variance && variance.data[c];
    if (!mean) {
      centre = part.reduce((a, b) => a + b, 0) / plane;
      spread = part.reduce((a, b) => a + (b - centre) ** 2, 0) / plane;
    }
    const factor = scale.data[c] / Math.sqrt(spread + epsilon);
    for (let i = 0; i < plane; i++) data[one * plane + i] = (part[i] - centre) * factor + bias.data[c];
  }
  return tensor(x.shape, data);
}

function softmax([x], { axis = -1 }) {
  axis = positive(axis, x.shape.length);
  const inner = size(x.shape.slice(axis + 1)), side = x.shape[axis], data = new Float32Array(x.data.length);
  for (let one = 0; one < data.length / side; one++) {
    const from = Math.floor(one / inner) * side * inner + one % inner;
    let most = -Infinity, total = 0;
    for (let i = 0; i < side; i++) most = Math.max(most, x.data[from + i * inner]);
    for (let i = 0; i < side; i++) total += data[from + i * inner] = Math.exp(x.data[from + i * inner] - most);
    for (let i = 0; i < side; i++) data[from + i * inner] /= total;
  }
  return tensor(x.shape, data);
}

function depthToSpace([x], { blocksize: b, mode = "DCR" }) {
  const [n, channels, height, width] = x.shape, kept = channels / b / b;
  const apart = mode === "DCR" ? [n, b, b, kept, height, width] : [n, kept, b, b, height, width];
  const perm = mode === "DCR" ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  const turned = transpose([tensor(apart, x.data)], { perm });
  return tensor([n, kept, height * b, width * b], turned.data);
}

function erf(x) { // its power series, and the continued fraction of 1 - erf where that would cancel
  const y = Math.abs(x), square = y * y;
  let share = 0, term = y, total = y;
  if (y > 3) {
    for (let k = 40; k > 0; k--) share = k / 2 / (y + share);
    return Math.sign(x) * (1 - Math.exp(-square) / Math.sqrt(Math.PI) / (y + share));
  }
  for (let k = 1; k < 100; k++) total += (term *= -square / k) / (2 * k + 1);
  return Math.sign(x) * total * 2 / Math.sqrt(Math.PI);
}

function shaped(change) {
  return ([x, given], { axes = given ? Array.from(given.data) : null }) => tensor(change(x.shape, axes), x.data);
}

const OPERATORS = {
  Add: binary((a, b) => a + b), Sub: binary((a, b) => a - b), Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b), Pow: binary((a, b) => a ** b),
  Less: binary((a, b) => a < b, true), LessOrEqual: binary((a, b) => a <= b, true),
  Greater: binary((a, b) => a > b, true), GreaterOrEqual: binary((a, b) => a >= b, true),
  Equal: binary((a, b) => a === b, true), And: binary((a, b) => a && b, true), Or: binary((a, b) => a || b, true),
  Min: inputs => inputs.reduce((a, b) => binary(Math.min)([a, b])),
  Max: inputs => inputs.reduce((a, b) => binary(Math.max)([a, b])),
  Where: ([c, a, b]) => {
    const shape = broadcastShape(c.shape, a.shape, b.shape), [o, p, q] = [c, a, b].map(x => expand(x, shape).data);
    return tensor(shape, like(p, p.length).map((_, i) => o[i] ? p[i] : q[i]));
  },
  Relu: unary(x => Math.max(x, 0)), Tanh: unary(Math.tanh), Sigmoid: unary(x => 1 / (1 + Math.exp(-x))),
  LeakyRelu: unary((x, { alpha = 0.01 }) => x < 0 ? alpha * x : x), Neg: unary(x => -x), Sqrt: unary(Math.sqrt),
  Elu: unary((x, { alpha = 1 }) => x < 0 ? alpha * Math.expm1(x) : x), Softplus: unary(x =>
    Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))), Softsign: unary(x => x / (1 + Math.abs(x))),
  Selu: unary((x, { alpha = 1.6732632, gamma = 1.0507010 }) => gamma * (x < 0 ? alpha * Math.expm1(x) : x)),
  Reciprocal: unary(x => 1 / x), Exp: unary(Math.exp), Log: unary(Math.log), Abs: unary(Math.abs), Erf: unary(erf),
  Sin: unary(Math.sin), Cos: unary(Math.cos), Floor: unary(Math.floor), Ceil: unary(Math.ceil),
  Not: ([x]) => tensor(x.shape, Int32Array.from(x.data, value => value ? 0 : 1)),
  Clip: ([x, low, high], attributes) => {
    const [least, most] = [low ? low.data[0] : attributes.min ?? -Infinity, high ? high.data[0] : attributes.max ?? Infinity];
    return tensor(x.shape, x.data.map(value => Math.min(Math.max(value, least), most)));
  },
  PRelu: ([x, slope]) => {
    const data = expand(slope, x.shape).data;
    return tensor(x.shape, x.data.map((value, i) => value < 0 ? value * data[i] : value));
  },
  Cast: ([x], { to }) => tensor(x.shape, to === 1 || to === 10 || to === 11 ? Float32Array.from(x.data)
    : Int32Array.from(x.data, to === 9 ? value => value !== 0 : Math.trunc)),
  Identity: ([x]) => x, Dropout: ([x]) => x,
  MatMul: matmul, Gemm: gemm, Conv: conv, ConvTranspose: convTranspose,
  Reshape: reshape, Transpose: transpose, Concat: concat, Slice: slice, Split: split, Gather: gather, OneHot: oneHot,
  Pad: pad, Resize: resize, Softmax: softmax, DepthToSpace: depthToSpace,
  Expand: ([x, wanted]) => expand(x, broadcastShape(x.shape, Array.from(wanted.data))),
  Tile: ([x, counts]) => Array.from(counts.data).reduce(
    (made, count, axis) => count === 1 ? made : concat(new Array(count).fill(made), { axis }), x),
  Flatten: ([x], { axis = 1 }) => tensor([size(x.shape.slice(0, axis)), size(x.shape.slice(axis))], x.data),
  Squeeze: shaped((shape, axes) => shape.filter((side, axis) => axes
    ? !axes.map(one => positive(one, shape.length)).includes(axis) : side !== 1)),
  Unsqueeze: shaped((shape, axes) => {
    const rank = shape.length + axes.length, at = axes.map(axis => positive(axis, rank)), rest = shape.slice();
    return Array.from({ length: rank }, (_, axis) => at.includes(axis) ? 1 : rest.shift());
  }),
  Shape: ([x]) => tensor([x.shape.length], Int32Array.from(x.shape)),
  ReduceMean: reduce(0, (a, b) => a + b, (total, count) => total / count), ReduceSum: reduce(0, (a, b) => a + b),
  ReduceMax: reduce(-Infinity, Math.max), ReduceMin: reduce(Infinity, Math.min),
  ReduceSumSquare: reduce(0, (a, b) => a + b * b), ReduceL2: reduce(0, (a, b) => a + b * b, Math.sqrt),
  AveragePool: pool(0, (a, b) => a + b, (total, count) => total / count),
  MaxPool: pool(-Infinity, Math.max, total => total),
  GlobalAveragePool: ([x]) => OPERATORS.ReduceMean([x], { axes: x.shape.map((_, axis) => axis).slice(2) }),
  BatchNormalization: normalization, InstanceNormalization: normalization,
};

// {nodes, constants, inputs, output} as kgan.view writes it, and the bytes of all constants -> a function of tensors by name
function network(graph, bytes) {
  const constants = {};
  for (const [name, { shape, type, at }] of Object.entries(graph.constants)) {
    const kind = type === "float" ? Float32Array : Int32Array;
    constants[name] = tensor(shape, new kind(bytes.buffer.slice(at, at + 4 * size(shape))));
  }
  return inputs => {
    const values = { ...constants, ...inputs };
    for (const { op, inputs: from, outputs: to, attributes } of graph.nodes) {
      const made = OPERATORS[op](from.map(name => values[name]), attributes, to.length);
      (Array.isArray(made) ? made : [made]).forEach((one, i) => { values[to[i]] = one; });
    }
    return values[graph.output];
  };
}
