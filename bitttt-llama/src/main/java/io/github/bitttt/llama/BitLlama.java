package io.github.bitttt.llama;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.Block;
import io.github.bitttt.nn.DeltaShape;
import io.github.bitttt.nn.Experts;
import io.github.bitttt.nn.FeedForward;
import io.github.bitttt.nn.GatedDelta;
import io.github.bitttt.nn.GatedMlp;
import io.github.bitttt.nn.Hadamard;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.Mixer;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.RmsNorm;
import io.github.bitttt.nn.StatePart;
import io.github.bitttt.nn.TokenIds;
import io.github.bitttt.nn.TttLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Bit-Llama: embedding, blocks of a mixer (memory layer, gated delta layer or attention) and a gated feed-forward layer with norms and residuals, a
 * last norm, a float head, which may be the embedding.
 *
 * <p>It holds names and sizes, no numbers: the reading that it is given knows the weights. Immutable.
 */
public final class BitLlama {
    // The same of a gated delta layer whose power is 1: softplus(-4) = -log(sigmoid(4)).
    private static final Param.Init FIRST_OFFSETS = new Param.Init.Spread(-4, -9);
    // Heads that fade at once and slowly, to half in 38 tokens (sigmoid(4) = 0.982) to 5,600 (sigmoid(9) = 0.99988).
    private static final Param.Init FIRST_DECAYS = new Param.Init.Spread(4, 9);

    private final BitLlamaConfig config;
    private final Param embedding;
    private final List<Block> blocks;
    private final RmsNorm norm;
    private final Param head;
    private final Optional<Param> headBias;
    private final Optional<Hadamard> rotation;

    /** A model of the given sizes.
     *
     * @param config its sizes and forms */
    public BitLlama(BitLlamaConfig config) {
        // Small first rows: the blocks' answers speak from the first step; see "First values" in ARCHITECTURE.md.
        this.config = config;
        int width = config.hiddenSize();
        embedding = new Param("embed.weight", List.of(config.vocabSize(), width), Param.Kind.ROWS,
                new Param.Init.Normal(0.05));
        blocks = IntStream.range(0, config.layers()).mapToObj(i -> block(i, config, config.mixer(i)))
                .toList();
        norm = new RmsNorm(Param.vector("norm_f.weight", width, 1), config.rmsNormEps());
        head = config.head().tied()
                ? embedding
                : new Param("lm_head.weight", List.of(config.vocabSize(), width), Param.Kind.ROWS,
                        new Param.Init.Normal(1 / Math.sqrt(width)));
        headBias = config.head().bias()
                ? Optional.of(Param.vector("lm_head.bias", config.vocabSize(), 0))
                : Optional.empty();
        rotation = rotation(width, config);
    }

    private static Block block(int number, BitLlamaConfig config, MixerForm form) {
        String path = "layers." + number;
        int width = config.hiddenSize();
        Mixer mixer = switch (form) {
            case AttentionForm attention -> attention(path + ".attention", config, attention);
            case BitLlamaConfig.Ttt ttt -> tttLayer(path + ".ttt", config, ttt);
            case GatedDeltaForm delta -> gatedDelta(path + ".delta", config, delta);
        };
        return new Block(norm(path + ".norm1.weight", width, config), mixer,
                norm(path + ".norm2.weight", width, config), feedForward(path + ".mlp", number, config));
    }

    private static RmsNorm norm(String path, int width, BitLlamaConfig config) {
        return new RmsNorm(Param.vector(path, width, 1), config.rmsNormEps());
    }

    private static Optional<RmsNorm> subNorm(boolean there, String path, int width, BitLlamaConfig config) {
        return there ? Optional.of(norm(path + ".sub_norm.weight", width, config)) : Optional.empty();
    }

    private static FeedForward feedForward(String path, int block, BitLlamaConfig config) {
        if (config.mlp().experts().isEmpty() || config.mlp().experts().get().dense().contains(block)) {
            return mlp(path, config.intermediateSize(), config);
        }
        ExpertsForm form = config.mlp().experts().get();
        int width = config.hiddenSize();
        Param.Init first = new Param.Init.Normal(1 / Math.sqrt(width));
        return new Experts(new Param(path + ".gate.weight", List.of(form.experts(), width), Param.Kind.FLOAT, first),
                IntStream.range(0, form.experts())
                        .mapToObj(i -> mlp(path + ".experts." + i, form.width(), config)).toList(),
                form.chosen(), form.renormalised(), mlp(path + ".shared_expert", form.sharedWidth(), config),
                new Param(path + ".shared_expert_gate.weight", List.of(1, width), Param.Kind.FLOAT, first));
    }

    private static GatedMlp mlp(String path, int inner, BitLlamaConfig config) {
        int width = config.hiddenSize();
        return new GatedMlp(projection(path + ".gate_proj", inner, width, config),
                projection(path + ".up_proj", inner, width, config),
                projection(path + ".down_proj", width, inner, config), config.mlp().activation(),
                subNorm(config.mlp().subNorm(), path, inner, config));
    }

    private static Attention attention(String path, BitLlamaConfig config, AttentionForm form) {
        int width = config.hiddenSize();
        int queries = form.heads() * form.headWidth();
        int keys = form.keyHeads() * form.headWidth();
        return new Attention(projection(path + ".q_proj", queries, width, config),
                projection(path + ".k_proj", keys, width, config), projection(path + ".v_proj", keys, width, config),
                projection(path + ".o_proj", width, queries, config), form.heads(), form.keyHeads(), form.rotary(),
                subNorm(form.subNorm(), path, queries, config), form.headNorms()
                        ? Optional.of(new Attention.HeadNorms(norm(path + ".q_norm.weight", form.headWidth(), config),
                                norm(path + ".k_norm.weight", form.headWidth(), config)))
                        : Optional.empty(),
                form.gated()
                        ? Optional.of(projection(path + ".gate_proj", queries, width, config))
                        : Optional.empty());
    }

    private static GatedDelta gatedDelta(String path, BitLlamaConfig config, GatedDeltaForm form) {
        int width = config.hiddenSize();
        DeltaShape shape = new DeltaShape(form.heads(), form.keyHeads(), form.valueWidth(), form.keyWidth());
        int channels = 2 * shape.keys() + shape.values();
        return new GatedDelta(projection(path + ".in_proj", channels, width, config),
                new Param(path + ".conv.weight", List.of(channels, form.taps()), Param.Kind.FLOAT,
                        new Param.Init.Normal(1 / Math.sqrt(form.taps()))),
                heads(path + ".rate.weight", form.heads(), width),
                new GatedDelta.Decay(heads(path + ".decay.weight", form.heads(), width),
                        new Param(path + ".decay.bias", List.of(form.heads()), Param.Kind.FLOAT, FIRST_OFFSETS),
                        Param.vector(path + ".decay.exponent", form.heads(), 0)),
                shape, norm(path + ".norm.weight", form.valueWidth(), config),
                projection(path + ".gate_proj", shape.values(), width, config),
                projection(path + ".out_proj", width, shape.values(), config));
    }

    private static Param heads(String path, int heads, int width) {
        return new Param(path, List.of(heads, width), Param.Kind.FLOAT, new Param.Init.Constant(0));
    }

    private static TttLayer tttLayer(String path, BitLlamaConfig config, BitLlamaConfig.Ttt form) {
        int width = config.hiddenSize();
        InnerRate rate = form.innerRate().isPresent()
                ? new InnerRate.Constant(form.innerRate().getAsDouble())
                : learned(path + ".rate", form.heads(), width, new Param.Init.Constant(0));
        Optional<InnerRate.Learned> decay = form.decay()
                ? Optional.of(learned(path + ".decay", form.heads(), width, FIRST_DECAYS))
                : Optional.empty();
        Optional<Param> shift = form.tokenShift()
                ? Optional.of(Param.vector(path + ".shift", width, 0.5))
                : Optional.empty();
        return new TttLayer(projection(path + ".down", form.memorySize(), width, config),
                projection(path + ".up", width, form.memorySize(), config), form.heads(), form.objective(), rate,
                decay, shift, form.read());
    }

    private static InnerRate.Learned learned(String path, int heads, int width, Param.Init bias) {
        return new InnerRate.Learned(
                new Param(path + ".weight", List.of(heads, width), Param.Kind.FLOAT, new Param.Init.Constant(0)),
                new Param(path + ".bias", List.of(heads), Param.Kind.FLOAT, bias));
    }

    private static BitLinear projection(String path, int out, int in, BitLlamaConfig config) {
        Optional<RmsNorm> norm = config.projectionNormEps().isPresent()
                ? Optional.of(new RmsNorm(Param.vector(path + ".norm.weight", in, 1),
                        config.projectionNormEps().getAsDouble()))
                : Optional.empty();
        return new BitLinear(Param.ternary(path + ".weight", out, in), config.quantization(), norm,
                rotation(in, config));
    }

    /** Weights of one width share their signs. */
    private static Optional<Hadamard> rotation(int width, BitLlamaConfig config) {
        return config.hadamardBlock().isPresent()
                ? Optional.of(new Hadamard(Param.vector("hadamard." + width, width, 1),
                        config.hadamardBlock().getAsInt()))
                : Optional.empty();
    }

    /** Its sizes and forms.
     *  @return the config */
    public BitLlamaConfig config() {
        return config;
    }

    /** Its layers.
     *  @return the blocks, first to last */
    public List<Block> blocks() {
        return blocks;
    }

    /** Its parameters, in the order of the computation.
     *  @return every tensor of a checkpoint */
    public List<Param> params() {
        Stream<Param> body = blocks.stream().flatMap(block -> block.params().stream());
        return Stream
                .of(rotation.map(Hadamard::signs).stream(), Stream.of(embedding), body, norm.params().stream(),
                        Stream.of(head), headBias.stream())
                .flatMap(stream -> stream).distinct().toList(); // a tied head is the embedding
    }

    /** Logits of the next token after every token.
     *
     * @param <T>      the reading's value
     * @param ops      the reading
     * @param memories the state of each block's mixer; every entry is replaced by its successor
     * @param ids      [n] token ids
     * @return [n, V] */
    public <T> T forward(Ops<T> ops, List<MixerState<T>> memories, TokenIds<T> ids) {
        return head(ops, hidden(ops, memories, ids));
    }

    /** Everything but the head, for tokens whose logits nobody asks for.
     *
     * @param <T>      the reading's value
     * @param ops      the reading
     * @param memories the state of each block's mixer; every entry is replaced by its successor
     * @param ids      [n] token ids
     * @return normed features [n, D], as the head takes them: rotated, where the weights were fitted to that */
    public <T> T hidden(Ops<T> ops, List<MixerState<T>> memories, TokenIds<T> ids) {
        if (memories.size() != blocks.size()) {
            throw new IllegalArgumentException(
                    "one memory for each of " + blocks.size() + " blocks is needed, got " + memories.size());
        }
        T rows = ops.embed(embedding, ids);
        T x = ops.dropout(rotation.isPresent() ? ops.rotateBack(rotation.get(), rows) : rows);
        for (int i = 0; i < blocks.size(); i++) {
            Mixed<T> mixed = blocks.get(i).forward(ops, memories.get(i), x);
            memories.set(i, mixed.state());
            x = mixed.output();
        }
        T hidden = norm.forward(ops, x);
        return rotation.isPresent() ? ops.rotate(rotation.get(), hidden) : hidden;
    }

    /** The head: logits of features.
     *
     * @param <T>    the reading's value
     * @param ops    the reading
     * @param hidden [n, D]
     * @return [n, V] */
    public <T> T head(Ops<T> ops, T hidden) {
        return ops.linear(head, headBias, hidden);
    }

    /** The head's matrix.
     *  @return [V, D]; the embedding if they are tied */
    public Param headWeight() {
        return head;
    }

    /** The head's bias, if it has one.
     *  @return [V] */
    public Optional<Param> headBias() {
        return headBias;
    }

    /** The number of parameters.
     *  @return the sum over all tensors */
    public long parameters() {
        return params().stream().mapToLong(Param::length).sum();
    }

    /** Memories as they are before the first token, in a reading's own form.
     *
     * @param <T>   the reading's value
     * @param empty makes an empty part of a state, such as {@code CpuOps::empty}
     * @return a modifiable list, the state of each block's mixer */
    public <T> List<MixerState<T>> memories(Function<StatePart, T> empty) {
        List<MixerState<T>> memories = new ArrayList<>();
        blocks.forEach(block -> memories.add(block.mixer().state(empty)));
        return memories;
    }

    /** What a reader keeps, however long its text is.
     *  @return numbers of all states' parts that do not grow */
    public long memoryNumbers() {
        return stateParts().filter(part -> !part.grows()).mapToLong(StatePart::numbers).sum();
    }

    /** What a reader keeps of every token: nothing in memory layers.
     *  @return numbers of all states' parts that grow, for one token */
    public long memoryNumbersPerToken() {
        return stateParts().filter(StatePart::grows).mapToLong(StatePart::numbers).sum();
    }

    private Stream<StatePart> stateParts() {
        return blocks.stream().flatMap(block -> block.mixer().stateParts().stream());
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "BitLlama[V %d, D %d, %d layers, F %d, %s, %,d parameters]",
                config.vocabSize(), config.hiddenSize(), config.layers(), config.intermediateSize(),
                config.mixers().stream().map(BitLlama::shown).distinct().collect(Collectors.joining(" and ")),
                parameters());
    }

    private static String shown(MixerForm form) {
        return switch (form) {
            case BitLlamaConfig.Ttt ttt -> "M " + ttt.memorySize();
            case GatedDeltaForm delta -> "gated delta of " + delta.heads() + " heads on " + delta.keyHeads() + " of "
                    + delta.valueWidth() + " by " + delta.keyWidth();
            case AttentionForm attention -> "attention of " + attention.heads() + " heads on " + attention.keyHeads()
                    + " of " + attention.headWidth();
        };
    }
}
