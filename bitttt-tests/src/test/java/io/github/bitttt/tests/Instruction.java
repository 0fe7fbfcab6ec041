package io.github.bitttt.tests;

import io.github.bitttt.nn.Activation;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.DeltaShape;
import io.github.bitttt.nn.GatedDelta;
import io.github.bitttt.nn.GatedDeltaState;
import io.github.bitttt.nn.GatedMlp;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.RmsNorm;
import io.github.bitttt.nn.TttLayer;
import io.github.bitttt.nn.TttState;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Every instruction of {@link Ops}, on sizes of one's choice, so that each reading can be asked for the same thing. */
enum Instruction {
    RMS_NORM {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.rmsNorm(new RmsNorm(sizes.gain(), 1e-5), x));
        }
    },
    BIT_LINEAR_ROUNDED {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.bitLinear(sizes.gate(true), x));
        }
    },
    BIT_LINEAR_FLOAT {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.bitLinear(sizes.gate(false), x));
        }
    },
    LINEAR {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.linear(sizes.head(), Optional.empty(), x));
        }
    },
    LINEAR_WITH_BIAS {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.linear(sizes.head(), Optional.of(sizes.headBias()), x));
        }
    },
    ADD {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.add(x, ops.rmsNorm(new RmsNorm(sizes.gain(), 1e-5), x)));
        }
    },
    SWI_GLU_ROUNDED {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(GatedMlp.swiGlu(sizes.gate(true), sizes.up(true), sizes.down(true)).forward(ops, x));
        }
    },
    SWI_GLU_FLOAT {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(GatedMlp.swiGlu(sizes.gate(false), sizes.up(false), sizes.down(false)).forward(ops, x));
        }
    },
    GATED_OF_TWO_ROUNDINGS {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.gated(GatedMlp.swiGlu(sizes.gate(true), sizes.up(false), sizes.down(true)), x));
        }
    },
    RELU_SQUARED {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(new GatedMlp(sizes.gate(false), sizes.up(false), sizes.down(false), Activation.RELU_SQUARED,
                    Optional.of(new RmsNorm(sizes.innerGain(), 1e-5))).forward(ops, x));
        }
    },
    RELU_SQUARED_ROUNDED {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(new GatedMlp(sizes.gate(true), sizes.up(true), sizes.down(false), Activation.RELU_SQUARED,
                    Optional.empty()).forward(ops, x));
        }
    },
    NORMED_PROJECTION {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            BitLinear gate = sizes.gate(false);
            return List.of(new BitLinear(gate.weight(), gate.quantization(),
                    Optional.of(new RmsNorm(sizes.gain(), 1e-6)), Optional.empty()).forward(ops, x));
        }
    },
    CONVOLVE {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.convolve(sizes.kernel(sizes.width()), memory.previous(), x));
        }
    },
    TAIL {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            // Of one row nothing is left of what was before, so that is there beside it.
            return List.of(ops.tail(1, memory.previous(), x), ops.moveDown(memory.previous(), x));
        }
    },
    COLUMNS {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.columns(x, 0, 2), ops.columns(x, 1, sizes.width()));
        }
    },
    UNIT_HEADS {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.unitHeads(sizes.heads(), 0.3, ops.bitLinear(sizes.layer(false).down(), x)));
        }
    },
    FADE {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.fade(sizes.fading(), ops.linear(sizes.fading().weight(), Optional.empty(), x)));
        }
    },
    SIGMOID {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.multiply(ops.sigmoid(x), x));
        }
    },
    GATED_DELTA {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            GatedDelta layer = sizes.gatedDelta();
            T tail = ops.bitLinear(layer.input(), memory.previous());
            return mixed(layer.forward(ops, new GatedDeltaState<>(memory.weights(), tail), x));
        }
    },
    TOKEN_SHIFT {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.tokenShift(sizes.mu(), memory.previous(), x));
        }
    },
    MOVE_DOWN {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.moveDown(memory.previous(), x));
        }
    },
    LAST_ROW {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.lastRow(x));
        }
    },
    INNER_RATE {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.innerRate(sizes.rate(), sizes.heads(), x));
        }
    },
    NORMALIZE_HEADS {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return List.of(ops.normalizeHeads(sizes.heads(), ops.bitLinear(sizes.layer(false).down(), x)));
        }
    },
    TTT_DEFAULT {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return mixed(sizes.layer(true).forward(ops, memory, x));
        }
    },
    TTT_FLOAT {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            return mixed(sizes.layer(false).forward(ops, memory, x));
        }
    },
    TTT_SEED {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            TttLayer layer = sizes.layer(false);
            return mixed(new TttLayer(layer.down(), layer.up(), layer.heads(), Objective.RECONSTRUCT,
                    new InnerRate.Constant(0.1), Optional.empty(), Optional.empty(), Read.BEFORE)
                    .forward(ops, memory, x));
        }
    },
    TTT_DECAY {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            TttLayer layer = sizes.layer(false);
            return mixed(new TttLayer(layer.down(), layer.up(), layer.heads(), layer.objective(), layer.innerRate(),
                    Optional.of(sizes.decay()), layer.shift(), layer.read()).forward(ops, memory, x));
        }
    },
    TTT_DECAY_BEFORE {
        @Override
        <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory) {
            TttLayer layer = sizes.layer(false);
            return mixed(new TttLayer(layer.down(), layer.up(), layer.heads(), Objective.RECONSTRUCT, layer.innerRate(),
                    Optional.of(sizes.decay()), layer.shift(), Read.BEFORE).forward(ops, memory, x));
        }
    };

    /** Computes it.
     *
     * @return the results, all of them rows */
    abstract <T> List<T> apply(Ops<T> ops, Sizes sizes, T x, TttState<T> memory);

    private static <T> List<T> mixed(Mixed<T> mixed) {
        return Stream.concat(Stream.of(mixed.output()), mixed.state().parts().stream()).toList();
    }

    /** D, F, M, H and the parameters of these sizes. */
    record Sizes(int width, int inner, int memoryWidth, int heads) {
        List<Param> params() {
            InnerRate.Learned rate = rate();
            InnerRate.Learned decay = decay();
            GatedDelta delta = gatedDelta();
            return List.of(kernel(width), delta.kernel(), delta.rate(), delta.decay().weight(), delta.decay().offset(),
                    delta.decay().exponent(), delta.norm().gain(), delta.input().weight(), delta.gate().weight(),
                    delta.output().weight(), gain(), innerGain(), gate(true).weight(), up(true).weight(),
                    down(true).weight(), head(),
                    headBias(),
                    layer(true).down().weight(), layer(true).up().weight(), mu(), rate.weight(), rate.bias(),
                    decay.weight(), decay.bias());
        }

        Param kernel(int channels) {
            return normal("kernel." + channels, List.of(channels, 2), Param.Kind.FLOAT, 0.5);
        }

        GatedDelta.Decay fading() {
            return new GatedDelta.Decay(normal("fade", List.of(heads, width), Param.Kind.FLOAT, 0.3),
                    normal("fade.offset", List.of(heads), Param.Kind.FLOAT, 1),
                    normal("fade.exponent", List.of(heads), Param.Kind.FLOAT, 0.5));
        }

        /** One head of keys for all heads of values. */
        GatedDelta gatedDelta() {
            Quantization rounding = new Quantization(true, false);
            int d = memoryWidth / heads;
            int channels = 2 * d + memoryWidth;
            // A kernel of its own, where the widths happen to be equal.
            return new GatedDelta(new BitLinear(Param.ternary("delta.in", channels, width), rounding),
                    normal("delta.kernel", List.of(channels, 2), Param.Kind.FLOAT, 0.5),
                    normal("delta.rate", List.of(heads, width), Param.Kind.FLOAT, 0.3), fading(),
                    new DeltaShape(heads, 1, d, d),
                    new RmsNorm(normal("delta.gain", List.of(d), Param.Kind.FLOAT, 1), 1e-6),
                    new BitLinear(Param.ternary("delta.gate", memoryWidth, width), rounding),
                    new BitLinear(Param.ternary("delta.out", width, memoryWidth), rounding));
        }

        Param gain() {
            return normal("gain", List.of(width), Param.Kind.FLOAT, 1);
        }

        Param innerGain() {
            return normal("inner.gain", List.of(inner), Param.Kind.FLOAT, 1);
        }

        Param mu() {
            return normal("shift", List.of(width), Param.Kind.FLOAT, 0.5);
        }

        Param head() {
            return normal("head", List.of(inner, width), Param.Kind.ROWS, 0.3);
        }

        Param headBias() {
            return normal("head.bias", List.of(inner), Param.Kind.FLOAT, 1);
        }

        BitLinear gate(boolean rounded) {
            return new BitLinear(Param.ternary("gate", inner, width), new Quantization(true, rounded));
        }

        BitLinear up(boolean rounded) {
            return new BitLinear(Param.ternary("up", inner, width), new Quantization(true, rounded));
        }

        BitLinear down(boolean rounded) {
            return new BitLinear(Param.ternary("down", width, inner), new Quantization(true, rounded));
        }

        InnerRate.Learned rate() {
            return new InnerRate.Learned(normal("rate", List.of(heads, width), Param.Kind.FLOAT, 0.3),
                    normal("rate.bias", List.of(heads), Param.Kind.FLOAT, 1));
        }

        InnerRate.Learned decay() {
            return new InnerRate.Learned(normal("decay", List.of(heads, width), Param.Kind.FLOAT, 0.3),
                    normal("decay.bias", List.of(heads), Param.Kind.FLOAT, 1));
        }

        TttLayer layer(boolean rounded) {
            Quantization rounding = new Quantization(true, rounded);
            return new TttLayer(new BitLinear(Param.ternary("ttt.down", memoryWidth, width), rounding),
                    new BitLinear(Param.ternary("ttt.up", width, memoryWidth), rounding), heads,
                    Objective.PREDICT_NEXT, rate(), Optional.empty(), Optional.of(mu()), Read.AFTER);
        }

        private static Param normal(String path, List<Integer> shape, Param.Kind kind, double deviation) {
            return new Param(path, shape, kind, new Param.Init.Normal(deviation));
        }
    }
}
