package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.adapt.Head;
import io.github.bitttt.llama.adapt.OutputAdapter;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The head of a session with an output memory: log-probabilities of the mixture where a plain head has logits.
 *
 * <p>Each token changes the memory that predicts the next, so the rows of a pass are kept here while the head is applied one by one.
 */
final class AdaptedHead {
    private final Model model;
    private final CpuOps ops;
    private final OutputAdapter adapter;
    private final float[] logits;
    private final Rows both; // h and h', so that the head is applied to both at once
    private final float[] adapted;
    private float[] kept = new float[0]; // [n, D]

    /** A memory that has learned nothing.
     *
     * @param model  whose head it is
     * @param ops    of the session, reset for each prediction
     * @param form   of the memory
     * @param logits [V], receives every prediction */
    AdaptedHead(Model model, CpuOps ops, OutputMemory form, float[] logits) {
        this.model = model;
        this.ops = ops;
        this.logits = logits;
        Param head = model.architecture().headWeight();
        adapter = new OutputAdapter(form, new HeadRows(head, model.weights().get(head)));
        adapted = new float[model.architecture().config().hiddenSize()];
        both = Rows.zeros(adapter.needsAdaptedLogits() ? 2 : 1, adapted.length);
    }

    /** Keeps the rows of a pass, before their buffers are used again. */
    void keep(Rows hidden) {
        int length = hidden.rows() * hidden.columns();
        if (kept.length < length) {
            kept = new float[length];
        }
        System.arraycopy(hidden.values(), 0, kept, 0, length);
    }

    /** Learns a token and predicts the next one.
     *
     * @param id  that was read
     * @param row of it, among those that are kept */
    void read(int id, int row) {
        adapter.learn(id);
        predict(kept, row * adapted.length);
    }

    private void predict(float[] rows, int at) {
        adapter.adapt(rows, at, adapted);
        System.arraycopy(rows, at, both.values(), 0, adapted.length);
        if (adapter.needsAdaptedLogits()) {
            System.arraycopy(adapted, 0, both.values(), adapted.length, adapted.length);
        }
        ops.reset();
        float[] found = model.architecture().head(ops, both).values();
        adapter.predict(found, found, logits.length, logits);
    }

    byte[] save() {
        return adapter.save();
    }

    /** What was learned elsewhere, in a head of its own: the memory of this one does not change. */
    AdaptedHead restored(byte[] saved) {
        AdaptedHead other = new AdaptedHead(model, ops, adapter.form(), logits);
        other.adapter.restore(saved);
        if (other.adapter.isOpen()) {
            other.predict(other.adapter.openRow(), 0);
        }
        return other;
    }

    /** The memory of a file; one that was not saved is empty. */
    AdaptedHead loaded(Path file, Optional<byte[]> saved) throws CheckpointException {
        try {
            return saved.isPresent()
                    ? restored(saved.get())
                    : new AdaptedHead(model, ops, adapter.form(), logits);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file, e.getMessage(), e);
        }
    }

    AdaptedHead cleared() {
        adapter.clear();
        return this;
    }

    OutputGain gain() {
        return new OutputGain(adapter.learned(), adapter.frozenNats(), adapter.nats());
    }

    private record HeadRows(Param param, Weight weight) implements Head {
        @Override
        public int tokens() {
            return param.rows();
        }

        @Override
        public int width() {
            return param.columns();
        }

        @Override
        public void row(int token, float[] row) {
            switch (weight) {
                case Weight.Floats(float[] values) ->
                    System.arraycopy(values, token * row.length, row, 0, row.length);
                case Weight.Int8Rows(var matrix) -> matrix.row(token, row, 0);
                case Weight.Ternary _ -> throw new IllegalStateException(param + ": is ternary");
            }
        }
    }
}
