package io.github.bitttt.tensor.internal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Rows rounded to int8 as kernels read them: codes, scales, the tables that a kernel derives from a row, and room for a
 * kernel's sums. A buffer that its owner reuses; for one thread.
 */
public final class Int8Input {
    /** Codes behind the last row, so that a vector that begins at the last code can be loaded whole. */
    public static final int SPARE = 64;

    private final int columns;
    private byte[] codes = new byte[0];
    private float[] scales = new float[0];
    private int rows;
    // One for each kind of tables; a process has at most two.
    private Derived[] derived = new Derived[0];
    private short[] shorts = new short[0];
    private int[] ints = new int[0];
    private float[] floats = new float[0];
    private SlicedWeights.Job job;
    // The same rows cut into groups of inputs, one for each size of groups.
    private Int8Input[] views = new Int8Input[0];
    private boolean filled; // of a view

    /** An empty buffer.
     *
     * @param columns of each row */
    public Int8Input(int columns) {
        this.columns = columns;
    }

    /** What a kernel derives from a row once, for all matrices that multiply it. */
    public interface Tables {
        /** The room that a row needs.
         *
         * @param columns of the row
         * @return bytes, a multiple of 64 */
        long bytes(int columns);

        /** Derives the tables of a row.
         *
         * @param codes   the row, and at least {@link #SPARE} more bytes behind it
         * @param offset  of its first code
         * @param columns how many
         * @param tables  64-byte aligned
         * @param at      where this row's tables begin, a multiple of 64 */
        void build(byte[] codes, int offset, int columns, MemorySegment tables, long at);
    }

    private static final class Derived {
        final Tables kind;
        final long stride;
        MemorySegment segment = MemorySegment.NULL;
        int built;

        Derived(Tables kind, long stride) {
            this.kind = kind;
            this.stride = stride;
        }
    }

    /** Makes room; the tables of what was here before are gone.
     *
     * @param n rows */
    public void begin(int n) {
        if (scales.length < n) {
            codes = new byte[Math.addExact(Math.multiplyExact(n, columns), SPARE)];
            scales = new float[n];
        }
        rows = n;
        for (Derived each : derived) {
            each.built = 0;
        }
        for (Int8Input view : views) {
            view.filled = false;
        }
    }

    /** The rows cut into groups, each a row of its own with scale 1: group g of row t is row g n + t, so that one group of all rows lies
     * together.
     *
     * @param size inputs of a group, of which the columns are a multiple
     * @return [groups n, size] */
    public Int8Input groups(int size) {
        Int8Input view = view(size);
        if (!view.filled) {
            int count = columns / size;
            view.begin(count * rows);
            Arrays.fill(view.scales, 0, count * rows, 1);
            for (int t = 0; t < rows; t++) {
                for (int group = 0; group < count; group++) {
                    System.arraycopy(codes, t * columns + group * size, view.codes, (group * rows + t) * size, size);
                }
            }
            view.filled = true;
        }
        return view;
    }

    private Int8Input view(int size) {
        for (Int8Input view : views) {
            if (view.columns == size) {
                return view;
            }
        }
        views = Arrays.copyOf(views, views.length + 1);
        views[views.length - 1] = new Int8Input(size);
        return views[views.length - 1];
    }

    /** Takes over the rows of another input and what was derived from them, as it is now; not its room. */
    void share(Int8Input other) {
        codes = other.codes;
        scales = other.scales;
        rows = other.rows;
        for (Derived theirs : other.derived) {
            Derived of = derived(theirs.kind);
            of.segment = theirs.segment;
            of.built = theirs.built;
        }
        for (Int8Input theirs : other.views) {
            Int8Input view = view(theirs.columns);
            view.share(theirs);
            view.filled = theirs.filled;
        }
    }

    /** A job for other threads on these rows, kept from call to call unless a helper is late with it. */
    SlicedWeights.Job job(int slices) {
        if (job == null || !job.isReady(slices)) {
            job = new SlicedWeights.Job(slices, columns);
        }
        return job;
    }

    /** The tables of all rows, built when first asked for after {@link #begin}.
     *
     * @param kind which
     * @return those of row r begin at r times {@code kind.bytes(columns)} */
    public MemorySegment tables(Tables kind) {
        Derived of = derived(kind);
        if (of.built < rows) {
            if (of.segment.byteSize() < rows * of.stride) {
                of.segment = Arena.ofAuto().allocate(rows * of.stride, 64);
            }
            for (int row = 0; row < rows; row++) {
                kind.build(codes, row * columns, columns, of.segment, row * of.stride);
            }
            of.built = rows;
        }
        return of.segment;
    }

    private Derived derived(Tables kind) {
        for (int i = 0; i < derived.length; i++) {
            if (derived[i].kind == kind) {
                return derived[i];
            }
        }
        derived = Arrays.copyOf(derived, derived.length + 1);
        derived[derived.length - 1] = new Derived(kind, kind.bytes(columns));
        return derived[derived.length - 1];
    }

    /** The width of a row.
     *  @return its columns */
    public int columns() {
        return columns;
    }

    /** How many rows there are.
     *  @return as {@link #begin} was told */
    public int rows() {
        return rows;
    }

    /** The codes, not a copy.
     *  @return in row order, each in [-127, 127] */
    public byte[] codes() {
        return codes;
    }

    /** The scales, not a copy.
     *  @return for each row what its numbers were multiplied by */
    public float[] scales() {
        return scales;
    }

    /** Room for a kernel's sums during one call.
     *
     * @param length how many
     * @return at least so many, with any contents */
    public short[] shorts(int length) {
        if (shorts.length < length) {
            shorts = new short[length];
        }
        return shorts;
    }

    /** Room for a kernel's sums during one call.
     *
     * @param length how many
     * @return at least so many, with any contents */
    public int[] ints(int length) {
        if (ints.length < length) {
            ints = new int[length];
        }
        return ints;
    }

    /** Room for a kernel's outputs during one call.
     *
     * @param length how many
     * @return at least so many, with any contents */
    public float[] floats(int length) {
        if (floats.length < length) {
            floats = new float[length];
        }
        return floats;
    }
}
