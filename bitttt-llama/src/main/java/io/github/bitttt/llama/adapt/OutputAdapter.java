package io.github.bitttt.llama.adapt;

import io.github.bitttt.tensor.FloatOps;
import java.util.Arrays;

/**
 * A memory at the output at work: what it predicts beside the frozen model, and what it learns from each token.
 *
 * <p>For each token in this order: {@link #adapt}, the head over both rows, {@link #predict}, then {@link #learn} when the next token
 * is known. The prediction is built up in stages, each with a {@link Gate}: the frozen model and the adapted one, then the ring, then
 * the tables of the last 1, 2, 3 and 5 tokens. A last, exact mixture stands between that result q and the frozen p:
 *
 * <pre>
 * P(w) = (p(w) + O q(w)) / (1 + O)      O is the product of q(y) / p(y) over the tokens y so far
 * </pre>
 *
 * <p>So the product of P(y) is half the sum of the products of p(y) and of q(y): for any text, also one written against it, the total
 * surprise is at most that of the frozen model plus ln 2 nats. For one thread; nothing is allocated by a token.
 */
public final class OutputAdapter {
    private static final int[] ORDERS = {1, 2, 3, 5};
    private static final int LONGEST = 5;
    // Of q, spread evenly: so q is never 0, and its logarithm never infinite.
    private static final float EVEN = 1e-6f;
    private static final float LEAST = 1e-30f;
    private static final int FORMAT = 1;

    private final OutputMemory form;
    private final int vocabulary;
    final Keys keys;
    final ErrorMatrix matrix;
    final KeyRing ring;
    final SuccessorTable[] tables;
    final Gate adaptedGate = new Gate(0);
    final Gate[] gates; // of the ring and the tables
    private final SparseExpert[] experts;
    final int[] context = new int[LONGEST]; // the last token first
    int contextSize;
    double odds; // log O
    long learned; // tokens
    final float[] hidden; // of the open prediction
    boolean open;
    private final double[] adaptedFeatures = new double[Gate.FEATURES];
    private final float[] key;
    private final float[] frozen;
    private final float[] adaptedLogits;
    private final float[] adapted;
    private final float[] mixed;
    private double logFrozenSum;
    private final float[] frozenLogits;
    private double frozenNats;
    private double nats;

    /** A memory that has learned nothing.
     *
     * @param form its parts and rates
     * @param head of the model, used when it learns */
    public OutputAdapter(OutputMemory form, Head head) {
        this.form = form;
        vocabulary = head.tokens();
        keys = new Keys(head.width());
        matrix = new ErrorMatrix(form, head);
        ring = new KeyRing(form.ringKeys(), form.ringWidth(), vocabulary);
        tables = new SuccessorTable[form.tableBits() == 0 ? 0 : ORDERS.length];
        experts = new SparseExpert[1 + tables.length];
        gates = new Gate[experts.length];
        experts[0] = new SparseExpert(Math.min(form.ringKeys(), vocabulary));
        gates[0] = new Gate(-2.5, 0.3, 0.5, 0.2, 0);
        for (int i = 0; i < tables.length; i++) {
            tables[i] = new SuccessorTable(form.tableBits());
            experts[i + 1] = new SparseExpert(SuccessorTable.SUCCESSORS);
            gates[i + 1] = new Gate(-2.8, 0.8, 0.4, 0.5, -0.4);
        }
        for (SparseExpert expert : experts) {
            expert.features[0] = 1;
        }
        adaptedFeatures[0] = 1;
        hidden = new float[head.width()];
        key = new float[head.width()];
        frozen = new float[vocabulary];
        adaptedLogits = new float[vocabulary];
        adapted = new float[vocabulary];
        mixed = new float[vocabulary];
        frozenLogits = new float[vocabulary];
    }

    /** Its parts and rates.
     *  @return the form */
    public OutputMemory form() {
        return form;
    }

    /** Takes a hidden row and tells the adapted one.
     *
     * @param rows holds h, behind the last norm
     * @param at   of its first element
     * @param to   receives h' = h + M k, [D] */
    public void adapt(float[] rows, int at, float[] to) {
        System.arraycopy(rows, at, hidden, 0, hidden.length);
        keys.key(hidden, key);
        if (form.hasMatrix()) {
            matrix.read(hidden, key, to);
        }
    }

    /** Whether the head is needed for the adapted row too.
     *  @return false if there is no matrix */
    public boolean needsAdaptedLogits() {
        return form.hasMatrix();
    }

    /** Mixes the predictions of the next token.
     *
     * @param logits    the head of h, [V] from the first
     * @param ofAdapted holds the head of h'
     * @param at        of its first element
     * @param to        receives log P(w), [V]; may be logits itself */
    public void predict(float[] logits, float[] ofAdapted, int at, float[] to) {
        System.arraycopy(logits, 0, frozenLogits, 0, vocabulary);
        logFrozenSum = softmax(frozenLogits, 1, null, frozen);
        if (form.hasMatrix()) {
            System.arraycopy(ofAdapted, at, adaptedLogits, 0, vocabulary);
            softmax(adaptedLogits, matrix.scale, matrix.bias, adapted);
        }
        mixDense();
        consult();
        for (int i = 0; i < experts.length; i++) {
            mixSparse(experts[i], gates[i]);
        }
        double weight = 1 / (1 + Math.exp(-odds));
        float ofMixed = (float) (weight * (1 - EVEN));
        float ofFrozen = (float) (1 - weight);
        float even = (float) (weight * EVEN / vocabulary) + LEAST;
        for (int word = 0; word < vocabulary; word++) {
            to[word] = ofFrozen * frozen[word] + ofMixed * mixed[word] + even;
        }
        FloatOps.log(to, to, vocabulary);
        open = true;
    }

    /** p = softmax(scale z + bias).
     *  @return log of the sum of exp(scale z + bias) */
    private static double softmax(float[] z, float scale, float[] bias, float[] p) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int word = 0; word < p.length; word++) {
            p[word] = bias == null ? z[word] : scale * z[word] + bias[word];
            largest = Math.max(largest, p[word]);
        }
        FloatOps.exp(p, largest, p, p.length);
        double sum = sum(p);
        float inverse = (float) (1 / sum);
        for (int word = 0; word < p.length; word++) {
            p[word] *= inverse;
        }
        return Math.log(sum) + largest;
    }

    /** In four sums, which need not wait for each other. */
    private static double sum(float[] values) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i + 4 <= values.length; i += 4) {
            a += values[i];
            b += values[i + 1];
            c += values[i + 2];
            d += values[i + 3];
        }
        for (; i < values.length; i++) {
            a += values[i];
        }
        return a + b + (c + d);
    }

    private void mixDense() {
        if (!form.hasMatrix()) {
            System.arraycopy(frozen, 0, mixed, 0, vocabulary);
            return;
        }
        float largest = 0;
        for (float probability : frozen) {
            largest = Math.max(largest, probability);
        }
        adaptedFeatures[1] = Gate.logit(largest) / 4;
        float share = (float) adaptedGate.share(adaptedFeatures);
        for (int word = 0; word < vocabulary; word++) {
            mixed[word] = (1 - share) * frozen[word] + share * adapted[word];
        }
    }

    private void consult() {
        experts[0].size = 0;
        if (form.ringKeys() > 0) {
            ring.fold(key);
            ring.predict(experts[0]);
        }
        int hash = 0;
        int length = 0;
        for (int i = 0; i < tables.length; i++) {
            experts[i + 1].size = 0;
            for (; length < Math.min(ORDERS[i], contextSize); length++) {
                hash = SuccessorTable.hash(hash, context[length]);
            }
            if (length == ORDERS[i]) {
                tables[i].find(hash);
                tables[i].predict(experts[i + 1]);
            }
        }
    }

    private void mixSparse(SparseExpert expert, Gate gate) {
        if (expert.size == 0) {
            return;
        }
        expert.features[3] = Gate.logit(mixed[expert.tokens[expert.likeliest]]) / 4;
        float share = (float) gate.share(expert.features);
        float rest = 1 - share;
        for (int word = 0; word < vocabulary; word++) {
            mixed[word] *= rest;
        }
        for (int i = 0; i < expert.size; i++) {
            mixed[expert.tokens[i]] += share * expert.shares[i];
        }
    }

    /** Learns from a token: from the open prediction if there is one, and in any case that it is the last one now.
     *
     * @param token that came */
    public void learn(int token) {
        if (open) {
            double logFrozen = frozenLogits[token] - logFrozenSum;
            double logMixed = Math.log((1 - EVEN) * learnGates(token) + EVEN / vocabulary);
            // log of (p + O q) / (1 + O), without leaving the logarithms
            double total = logSum(logFrozen, logMixed + odds) - logSum(0, odds);
            frozenNats -= logFrozen;
            nats -= total;
            odds += logMixed - logFrozen;
            if (form.hasMatrix()) {
                matrix.learn(key, adaptedLogits, adapted, token, learned);
            }
            if (form.ringKeys() > 0) {
                ring.learn(token);
            }
            learnTables(token);
            keys.learn(hidden, learned++);
            open = false;
        }
        System.arraycopy(context, 0, context, 1, LONGEST - 1);
        context[0] = token;
        contextSize = Math.min(contextSize + 1, LONGEST);
    }

    private static double logSum(double a, double b) {
        double larger = Math.max(a, b);
        return larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
    }

    /** Each gate learns from what it mixed.
     *  @return q(token), without its even part */
    private double learnGates(int token) {
        // What a probability underflows to is no 0, for a gate divides by it.
        double probability = Math.max(frozen[token], LEAST);
        if (form.hasMatrix()) {
            probability = adaptedGate.learn(adaptedFeatures, probability, adapted[token]);
        }
        for (int i = 0; i < experts.length; i++) {
            if (experts[i].size > 0) {
                probability = gates[i].learn(experts[i].features, probability, experts[i].shareOf(token));
            }
        }
        return probability;
    }

    private void learnTables(int token) {
        for (int i = 0; i < tables.length; i++) {
            if (contextSize >= ORDERS[i]) {
                tables[i].learn(token);
            }
        }
    }

    /** Forgets everything, counted nats too. */
    public void clear() {
        keys.clear();
        matrix.clear();
        ring.clear();
        for (SuccessorTable table : tables) {
            table.clear();
        }
        adaptedGate.clear();
        for (Gate gate : gates) {
            gate.clear();
        }
        Arrays.fill(context, 0);
        contextSize = 0;
        odds = 0;
        learned = 0;
        open = false;
        frozenNats = 0;
        nats = 0;
    }

    /** What was learned, and the open prediction's row: equal memories have equal bytes.
     *  @return of the same length for every memory of this form and head */
    public byte[] save() {
        StatePort.Out size = new StatePort.Out();
        pass(size);
        byte[] bytes = new byte[size.size()];
        pass(new StatePort.Out(bytes));
        return bytes;
    }

    /** Goes on from what another one of this form learned. If {@link #isOpen} then, its prediction is to be made again.
     *
     * @param saved by {@link #save}
     * @throws IllegalArgumentException if it is of another form or says something wrong; this memory is to be thrown away then */
    public void restore(byte[] saved) {
        StatePort.In in = new StatePort.In(saved);
        pass(in);
        in.end();
    }

    /** Every number, in the order of a file. */
    private void pass(StatePort port) {
        port.same("format", FORMAT);
        port.same("vocabulary", vocabulary);
        port.same("width", hidden.length);
        port.same("rate", form.rate());
        port.same("bias rate", form.biasRate());
        port.same("scale rate", form.scaleRate());
        port.same("number of keys", form.ringKeys());
        port.same("width of a key", form.ringWidth());
        port.same("table bits", form.tableBits());
        keys.pass(port);
        matrix.pass(port);
        ring.pass(port, vocabulary - 1);
        for (SuccessorTable table : tables) {
            table.pass(port, vocabulary - 1);
        }
        adaptedGate.pass(port);
        for (Gate gate : gates) {
            gate.pass(port);
        }
        port.ints(context, vocabulary - 1);
        contextSize = (int) port.number(contextSize, 0, LONGEST);
        odds = port.number(odds, -Double.MAX_VALUE, Double.MAX_VALUE);
        learned = (long) port.number(learned, 0, 1L << 53);
        frozenNats = port.number(frozenNats, -Double.MAX_VALUE, Double.MAX_VALUE);
        nats = port.number(nats, -Double.MAX_VALUE, Double.MAX_VALUE);
        open = port.number(open ? 1 : 0, 0, 1) == 1;
        port.floats(hidden, Float.MAX_VALUE);
    }

    /** Whether a prediction waits for its token.
     *  @return true after {@link #predict} */
    public boolean isOpen() {
        return open;
    }

    /** The row of the open prediction, for {@link #adapt} after {@link #restore}.
     *  @return h, a copy */
    public float[] openRow() {
        return hidden.clone();
    }

    /** Surprise of the frozen model at all tokens that were predicted and learned.
     *  @return nats */
    public double frozenNats() {
        return frozenNats;
    }

    /** Surprise of the mixture at the same tokens: at most ln 2 more.
     *  @return nats */
    public double nats() {
        return nats;
    }

    /** Tokens that were predicted and learned.
     *  @return from 0 */
    public long learned() {
        return learned;
    }

    @Override
    public String toString() {
        return "OutputAdapter[" + learned + " tokens learned, " + nats + " nats, frozen " + frozenNats + "]";
    }
}
