package io.github.bitttt.llama;

import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Read;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The sizes and forms of a {@link BitLlama}: everything that {@code config.json} says.
 *
 * @param vocabSize         V
 * @param hiddenSize        D
 * @param layers            the number of blocks
 * @param intermediateSize  F
 * @param rmsNormEps        eps of every norm but those of single projections
 * @param mixers            the form of each block's mixer: block i has number i modulo their number, so one form serves all blocks
 *                          and a pattern makes a hybrid
 * @param mlp               the feed-forward layers
 * @param head              the head
 * @param quantization      how projections round
 * @param projectionNormEps eps of a norm before every projection, if there are such norms
 * @param contextLimit      tokens for which the positions were trained, if there is a limit; memory layers have none
 * @param hadamardBlock     block of the rotation that all projections, embedding and head were fitted to, if there is one
 */
public record BitLlamaConfig(int vocabSize, int hiddenSize, int layers, int intermediateSize, double rmsNormEps,
        List<MixerForm> mixers, MlpForm mlp, HeadForm head, Quantization quantization,
        OptionalDouble projectionNormEps, OptionalInt contextLimit, OptionalInt hadamardBlock) {

    /** Largest V, far above every tokenizer: what a file says beyond that is wrong. */
    public static final int MAX_VOCABULARY = 1 << 24;
    /** Largest D, F and M: 64 rows of that width, which a session reads at once, have fewer than 2^31 elements. */
    public static final int MAX_WIDTH = 1 << 24;
    /** Largest W of a layer, H d d: 1 GB. */
    public static final int MAX_MEMORY = 1 << 28;

    /**
     * The form of the memory layers.
     *
     * @param memorySize M
     * @param heads      H, a divisor of M
     * @param objective  what the memory learns
     * @param innerRate  a constant in (0, 1]; empty means learned
     * @param decay      whether the memory fades at a learned rate
     * @param tokenShift whether each input is mixed with the one before it
     * @param read       before or after the update
     */
    public record Ttt(int memorySize, int heads, Objective objective, OptionalDouble innerRate, boolean decay,
            boolean tokenShift, Read read) implements MixerForm {

        /** Checks the sizes. */
        public Ttt {
            inRange("ttt.memory_size", memorySize, MAX_WIDTH);
            inRange("ttt.num_heads", heads, MAX_WIDTH);
            if (memorySize % heads != 0) {
                throw new IllegalArgumentException(
                        "ttt.num_heads must divide ttt.memory_size " + memorySize + ", got " + heads);
            }
            if ((long) memorySize * (memorySize / heads) > MAX_MEMORY) {
                throw new IllegalArgumentException("ttt.memory_size " + memorySize + " in " + heads
                        + " heads takes a memory of " + (long) memorySize * (memorySize / heads)
                        + " numbers a layer, at most " + MAX_MEMORY + " are allowed; use more heads");
            }
            if (innerRate.isPresent() && !(innerRate.getAsDouble() > 0 && innerRate.getAsDouble() <= 1)) {
                throw new IllegalArgumentException(
                        "ttt.inner_rate must be \"learned\" or a number in (0, 1], got " + innerRate.getAsDouble());
            }
        }

        /** The same with other heads.
         *
         * @param number H
         * @return a new form */
        public Ttt withHeads(int number) {
            return new Ttt(memorySize, number, objective, innerRate, decay, tokenShift, read);
        }

        /** The same with or without a learned decay.
         *
         * @param fades whether the memory fades
         * @return a new form */
        public Ttt withDecay(boolean fades) {
            return new Ttt(memorySize, heads, objective, innerRate, fades, tokenShift, read);
        }

        /** The default layer: predict_next, learned rate, token shift, read after, one head.
         *
         * @param memorySize M
         * @return the form */
        public static Ttt standard(int memorySize) {
            return new Ttt(memorySize, 1, Objective.PREDICT_NEXT, OptionalDouble.empty(), false, true, Read.AFTER);
        }

        /** The seed's layer: reconstruct, constant rate 0.1, no shift, read before, one head.
         *
         * @param memorySize M
         * @return the form */
        public static Ttt seed(int memorySize) {
            return new Ttt(memorySize, 1, Objective.RECONSTRUCT, OptionalDouble.of(0.1), false, false, Read.BEFORE);
        }
    }

    /** A model without a rotation.
     *
     * @param vocabSize         V
     * @param hiddenSize        D
     * @param layers            the number of blocks
     * @param intermediateSize  F
     * @param rmsNormEps        eps of every norm but those of single projections
     * @param mixers            a pattern, see the class
     * @param mlp               the feed-forward layers
     * @param head              the head
     * @param quantization      how projections round
     * @param projectionNormEps eps of a norm before every projection, if there are such norms
     * @param contextLimit      in tokens, if there is a limit */
    public BitLlamaConfig(int vocabSize, int hiddenSize, int layers, int intermediateSize, double rmsNormEps,
            List<MixerForm> mixers, MlpForm mlp, HeadForm head, Quantization quantization,
            OptionalDouble projectionNormEps, OptionalInt contextLimit) {
        this(vocabSize, hiddenSize, layers, intermediateSize, rmsNormEps, mixers, mlp, head, quantization,
                projectionNormEps, contextLimit, OptionalInt.empty());
    }

    /** Memory layers with SwiGLU and a head of its own.
     *
     * @param vocabSize        V
     * @param hiddenSize       D
     * @param layers           the number of blocks
     * @param intermediateSize F
     * @param rmsNormEps       eps of every norm
     * @param ttt              the memory layers
     * @param quantization     how projections round
     * @param headBias         whether the head adds a bias */
    public BitLlamaConfig(int vocabSize, int hiddenSize, int layers, int intermediateSize, double rmsNormEps, Ttt ttt,
            Quantization quantization, boolean headBias) {
        this(vocabSize, hiddenSize, layers, intermediateSize, rmsNormEps, List.of(ttt), MlpForm.SWI_GLU,
                new HeadForm(false, headBias), quantization, OptionalDouble.empty(), OptionalInt.empty());
    }

    /** Checks the sizes. */
    public BitLlamaConfig {
        mixers = List.copyOf(mixers);
        inRange("vocab_size", vocabSize, MAX_VOCABULARY);
        inRange("hidden_size", hiddenSize, MAX_WIDTH);
        inRange("num_hidden_layers", layers, Integer.MAX_VALUE);
        inRange("intermediate_size", intermediateSize, MAX_WIDTH);
        if (mixers.isEmpty()) {
            throw new IllegalArgumentException("at least 1 form of mixer is needed, got 0");
        }
        checkEps("rms_norm_eps", rmsNormEps);
        projectionNormEps.ifPresent(eps -> checkEps("quantization_config.rms_norm_eps", eps));
        contextLimit.ifPresent(limit -> inRange("max_position_embeddings", limit, Integer.MAX_VALUE));
    }

    private static void checkEps(String name, double eps) {
        if (!(eps > 0 && eps < 1)) {
            throw new IllegalArgumentException(name + " must be in (0, 1), got " + eps);
        }
    }

    static void inRange(String name, int value, int most) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
        if (value > most) {
            throw new IllegalArgumentException(name + " must be at most " + most + ", got " + value);
        }
    }

    /** The default form: memory D/4 (at least 1), {@link Ttt#standard}, BitNet rounding, no bias.
     *
     * @param vocabSize        V
     * @param hiddenSize       D
     * @param layers           the number of blocks
     * @param intermediateSize F
     * @return the config */
    public static BitLlamaConfig of(int vocabSize, int hiddenSize, int layers, int intermediateSize) {
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize, 1e-5,
                Ttt.standard(Math.max(1, hiddenSize / 4)), Quantization.BITNET, false);
    }

    /** The form of one block's mixer.
     *
     * @param block from 0
     * @return memory or attention */
    public MixerForm mixer(int block) {
        return mixers.get(block % mixers.size());
    }

    /** The form of the memory layers.
     *  @return that of the first, if there are any */
    public Optional<Ttt> ttt() {
        return mixers.stream().filter(Ttt.class::isInstance).map(Ttt.class::cast).findFirst();
    }

    /** The form of the gated delta layers.
     *  @return that of the first, if there are any */
    public Optional<GatedDeltaForm> gatedDelta() {
        return mixers.stream().filter(GatedDeltaForm.class::isInstance).map(GatedDeltaForm.class::cast).findFirst();
    }

    /** The same for weights that were fitted to a rotation of their inputs.
     *
     * @param block of it
     * @return a new config */
    public BitLlamaConfig withHadamard(int block) {
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize, rmsNormEps, mixers, mlp, head,
                quantization, projectionNormEps, contextLimit, OptionalInt.of(block));
    }

    /** The form of the attention layers.
     *  @return that of the first, if there are any */
    public Optional<AttentionForm> attention() {
        return mixers.stream().filter(AttentionForm.class::isInstance).map(AttentionForm.class::cast).findFirst();
    }

    /** The same with other mixers.
     *
     * @param forms a pattern, see {@link #mixers}
     * @return a new config */
    public BitLlamaConfig withMixers(List<MixerForm> forms) {
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize, rmsNormEps, forms, mlp, head,
                quantization, projectionNormEps, contextLimit, hadamardBlock);
    }

    /** The same with memory layers of one form.
     *
     * @param form of the memory layers
     * @return a new config */
    public BitLlamaConfig withTtt(Ttt form) {
        return withMixers(List.of(form));
    }

    /** The same with other feed-forward layers and another head.
     *
     * @param layer    form of the feed-forward layers
     * @param headForm of the head
     * @return a new config */
    public BitLlamaConfig with(MlpForm layer, HeadForm headForm) {
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize, rmsNormEps, mixers, layer, headForm,
                quantization, projectionNormEps, contextLimit, hadamardBlock);
    }

    /** The same with another rounding.
     *
     * @param rounding of the projections
     * @return a new config */
    public BitLlamaConfig withQuantization(Quantization rounding) {
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize, rmsNormEps, mixers, mlp, head,
                rounding, projectionNormEps, contextLimit, hadamardBlock);
    }

    /** The same with or without a bias of the head.
     *
     * @param bias whether the head adds one
     * @return a new config */
    public BitLlamaConfig withHeadBias(boolean bias) {
        return with(mlp, new HeadForm(head.tied(), bias));
    }

    /** The same with or without norms of single projections, and with or without a limit of the context.
     *
     * @param normEps of a norm before every projection
     * @param limit   in tokens
     * @return a new config */
    public BitLlamaConfig with(OptionalDouble normEps, OptionalInt limit) {
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize, rmsNormEps, mixers, mlp, head,
                quantization, normEps, limit, hadamardBlock);
    }

    /** The same with gated delta layers in place of memory layers, whose heads are as many and as wide, and a feed-forward layer that
     * much smaller: about as many parameters.
     *
     * @return a new config */
    public BitLlamaConfig withGatedDelta() {
        Ttt form = ttt().orElseThrow(() -> new IllegalArgumentException("memory layers are needed, got " + mixers));
        // Five projections [M, D] for two, paid for by three [F, D].
        if (intermediateSize <= form.memorySize()) {
            throw new IllegalArgumentException("gated delta layers take as many parameters as " + form.memorySize()
                    + " of intermediate_size, which must be more, got " + intermediateSize);
        }
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize - form.memorySize(), rmsNormEps,
                List.of(GatedDeltaForm.of(form.heads(), form.memorySize() / form.heads())), mlp, head, quantization,
                projectionNormEps, contextLimit, hadamardBlock);
    }

    /** The same with attention in place of memory layers, and a feed-forward layer that much smaller: a baseline of about as
     * many parameters.
     *
     * @param heads H, which divides D into even parts
     * @return a new config */
    public BitLlamaConfig withAttention(int heads) {
        AttentionForm form = AttentionForm.of(hiddenSize, heads);
        // Four projections [D, D] for two [M, D], paid for by three [F, D].
        int difference = (4 * hiddenSize - 2 * ttt().map(Ttt::memorySize).orElse(2 * hiddenSize)) / 3;
        if (intermediateSize <= difference) {
            throw new IllegalArgumentException("attention takes as many parameters as " + difference
                    + " of intermediate_size, which must be more, got " + intermediateSize);
        }
        return new BitLlamaConfig(vocabSize, hiddenSize, layers, intermediateSize - difference, rmsNormEps,
                List.of(form), mlp, head,
                quantization, projectionNormEps, contextLimit, hadamardBlock);
    }
}
