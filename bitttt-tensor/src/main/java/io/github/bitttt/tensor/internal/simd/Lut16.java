package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Ternary sums by look-up in tables of 16-bit sums, additions only, on vectors of 512 bits. Naive twin:
 * {@code NaiveKernels.sums}.
 *
 * <p>Three inputs form a group; their 27 possible signed sums are a table of shorts. A short holds the codes of three groups,
 * 9 (w0 + 1) + 3 (w1 + 1) + (w2 + 1) at bits 0, 5 and 10: nine weights in 16 bits. A sum of 258 inputs fits 16 bits; wider
 * rows are summed in segments of {@value #SEGMENT} such nines, and the segments in 32 bits.
 *
 * <p>Weights lie by blocks of 32 rows, four blocks side by side (fewer at the end); lane r of a block holds row
 * (r&1) 16 + (r>>1), which is where widening puts it. Four blocks share what is read of the tables; in a prompt four tokens share
 * what is read of the weights.
 */
final class Lut16 implements Kernels.Weights {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_256;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final VectorOperators.Conversion<Integer, Float> TO_FLOAT = VectorOperators.I2F;

    private static final int LANES = 32;
    private static final int BLOCK = 64; // bytes of a vector
    private static final int NINE = 9;
    private static final int NINE_TABLES = 3 * BLOCK;
    private static final int SEGMENT = 28;
    private static final int MOST_AT_ONCE = 258; // inputs of at most 127 whose sum fits 16 bits
    private static final int TOKENS = 4;
    private static final int PAIR = 2 * LANES; // rows that share what is read of four tokens' tables

    static final Int8Input.Tables TABLES = new Tables();

    private final MemorySegment codes;
    private final int rows;
    private final int columns;
    private final int nines;
    private final int segment;

    Lut16(Kernels.Codes ternary, int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        this.nines = Math.ceilDiv(columns, NINE);
        this.segment = columns <= MOST_AT_ONCE ? nines : SEGMENT;
        codes = Arena.ofAuto().allocate(2L * paddedRows() * nines, BLOCK);
        short[] ordered = new short[Math.multiplyExact(4 * LANES, nines)];
        byte[] codesOfRow = new byte[nines * NINE]; // zeros behind the last column
        for (int group = 0; group < paddedRows(); group += 4 * LANES) {
            int width = width(group);
            Arrays.fill(ordered, (short) 0);
            for (int row = group; row < Math.min(rows, group + width); row++) {
                ternary.read(row, codesOfRow, 0);
                int lane = lane(row - group);
                for (int nine = 0; nine < nines; nine++) {
                    ordered[nine * width + lane] = nine(codesOfRow, nine * NINE);
                }
            }
            MemorySegment.copy(ordered, 0, codes, ValueLayout.JAVA_SHORT, 2L * group * nines, width * nines);
        }
    }

    static int lane(int row) {
        return row / LANES * LANES + (row % 16 << 1) + (row % LANES >> 4);
    }

    static short nine(byte[] w, int at) {
        int first = 9 * w[at] + 3 * w[at + 1] + w[at + 2] + 13;
        int second = 9 * w[at + 3] + 3 * w[at + 4] + w[at + 5] + 13;
        int third = 9 * w[at + 6] + 3 * w[at + 7] + w[at + 8] + 13;
        return (short) (first | second << 5 | third << 10);
    }

    @Override
    public void read(int row, byte[] to, int offset) {
        int group = row / (4 * LANES) * 4 * LANES;
        long at = (long) group * nines + lane(row - group);
        int width = width(group);
        for (int column = 0; column < columns; column++) {
            int nine = codes.getAtIndex(ValueLayout.JAVA_SHORT, at + (long) column / NINE * width);
            to[offset + column] = code((short) nine, column % NINE);
        }
    }

    static byte code(short nine, int input) {
        int three = nine >> 5 * (input / 3) & 31;
        int power = input % 3 == 0 ? 9 : input % 3 == 1 ? 3 : 1;
        return (byte) (three / power % 3 - 1);
    }

    /** Rows of the group that begins at a row: 128, at the end 32, 64 or 128. */
    private int width(int group) {
        int left = Math.min(4, Math.ceilDiv(rows - group, LANES));
        return (left == 3 ? 4 : left) * LANES;
    }

    private int paddedRows() {
        int whole = rows / (4 * LANES) * 4 * LANES;
        return whole == rows ? rows : whole + width(whole);
    }

    @Override
    public String kernel() {
        return "lut16";
    }

    @Override
    public long bytes() {
        return codes.byteSize();
    }

    @Override
    public void prepare(Int8Input x) {
        x.tables(TABLES);
    }

    @Override
    public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
        MemorySegment tables = x.tables(TABLES);
        int t = 0;
        for (; t + TOKENS <= n; t += TOKENS) {
            fourTokens(x, tables, first + t, scale, y, yOffset + t * yStride, yStride);
        }
        for (; t < n; t++) {
            oneToken(x, tables, first + t, scale / x.scales()[first + t], y, yOffset + t * yStride);
        }
    }

    private void oneToken(Int8Input x, MemorySegment tables, int token, float factor, float[] y, int yOffset) {
        long tablesAt = (long) token * nines * NINE_TABLES;
        int groups = rows / (4 * LANES);
        wholeGroups(codes, 0, tables, tablesAt, nines, segment, factor, y, yOffset, groups);
        int group = groups * 4 * LANES;
        if (group == rows) {
            return;
        }
        // The last group may have more rows than there is room for.
        float[] last = x.floats(4 * LANES);
        switch (width(group) / LANES) {
            case 1 -> oneBlock(codes, 2L * group * nines, tables, tablesAt, nines, segment, factor, last);
            case 2 -> twoBlocks(codes, 2L * group * nines, tables, tablesAt, nines, segment, factor, last);
            default -> wholeGroups(codes, 2L * group * nines, tables, tablesAt, nines, segment, factor, last, 0, 1);
        }
        System.arraycopy(last, 0, y, yOffset + group, rows - group);
    }

    private void fourTokens(Int8Input x, MemorySegment tables, int token, float scale, float[] y, int yOffset,
            int yStride) {
        int padded = paddedRows() / PAIR * PAIR;
        int[] sums = x.ints(TOKENS * padded);
        long stride = (long) nines * NINE_TABLES;
        // A segment's tables for all four stay in the nearest cache while the rows pass by.
        for (int from = 0; from < nines; from += segment) {
            int length = Math.min(segment, nines - from);
            long tablesAt = token * stride + (long) from * NINE_TABLES;
            for (int pair = 0; pair < padded; pair += PAIR) {
                int group = pair / (4 * LANES) * 4 * LANES;
                int width = width(group);
                long at = 2L * (group * (long) nines + (long) from * width + (pair - group));
                pairOfTokens(codes, at, 2L * width, tables, tablesAt, stride, length, sums, pair, padded, from == 0);
            }
        }
        int summed = Math.min(rows, padded);
        for (int t = 0; t < TOKENS; t++) {
            float factor = scale / x.scales()[token + t];
            int out = yOffset + t * yStride;
            for (int row = 0, in = t * padded; row < summed; row++) {
                y[out + row] = sums[in + row] * factor;
            }
            if (summed < rows) {
                float[] last = x.floats(4 * LANES);
                oneBlock(codes, 2L * summed * nines, tables, (token + t) * stride, nines, segment, factor, last);
                System.arraycopy(last, 0, y, out + summed, rows - summed);
            }
        }
    }

    // length: a vector that leaves a method may become an object, and a load behind a method costs three quarters of the speed
    /** Some whole groups of 128 rows: checks of the segments' states are made once, before all of them. */
    private static void wholeGroups(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, int nines,
            int segment, float factor, float[] y, int yOffset, int groups) {
        long p = codesAt;
        for (int group = 0, yAt = yOffset; group < groups; group++, yAt += 4 * LANES) {
            IntVector e0 = IntVector.zero(INTS);
            IntVector e1 = e0;
            IntVector e2 = e0;
            IntVector e3 = e0;
            IntVector e4 = e0;
            IntVector e5 = e0;
            IntVector e6 = e0;
            IntVector e7 = e0;
            long q = tablesAt;
            for (int nine = 0; nine < nines;) {
                int end = Math.min(nines, nine + segment);
                ShortVector a0 = ShortVector.zero(SHORTS);
                ShortVector a1 = a0;
                ShortVector a2 = a0;
                ShortVector a3 = a0;
                for (; nine < end; nine++, p += 4 * BLOCK, q += NINE_TABLES) {
                    ShortVector t0 = ShortVector.fromMemorySegment(SHORTS, tables, q, ORDER);
                    ShortVector t1 = ShortVector.fromMemorySegment(SHORTS, tables, q + BLOCK, ORDER);
                    ShortVector t2 = ShortVector.fromMemorySegment(SHORTS, tables, q + 2 * BLOCK, ORDER);
                    ShortVector c = ShortVector.fromMemorySegment(SHORTS, codes, p, ORDER);
                    // Shifts of shorts compile badly; what those of ints carry over from the neighbour is not looked at.
                    a0 = a0.add(c.selectFrom(t0)
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts()
                                    .selectFrom(t1))
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts()
                                    .selectFrom(t2)));
                    c = ShortVector.fromMemorySegment(SHORTS, codes, p + BLOCK, ORDER);
                    a1 = a1.add(c.selectFrom(t0)
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts()
                                    .selectFrom(t1))
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts()
                                    .selectFrom(t2)));
                    c = ShortVector.fromMemorySegment(SHORTS, codes, p + 2 * BLOCK, ORDER);
                    a2 = a2.add(c.selectFrom(t0)
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts()
                                    .selectFrom(t1))
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts()
                                    .selectFrom(t2)));
                    c = ShortVector.fromMemorySegment(SHORTS, codes, p + 3 * BLOCK, ORDER);
                    a3 = a3.add(c.selectFrom(t0)
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts()
                                    .selectFrom(t1))
                            .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts()
                                    .selectFrom(t2)));
                }
                IntVector w = a0.reinterpretAsInts();
                e0 = e0.add(w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
                e1 = e1.add(w.lanewise(VectorOperators.ASHR, 16));
                w = a1.reinterpretAsInts();
                e2 = e2.add(w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
                e3 = e3.add(w.lanewise(VectorOperators.ASHR, 16));
                w = a2.reinterpretAsInts();
                e4 = e4.add(w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
                e5 = e5.add(w.lanewise(VectorOperators.ASHR, 16));
                w = a3.reinterpretAsInts();
                e6 = e6.add(w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
                e7 = e7.add(w.lanewise(VectorOperators.ASHR, 16));
            }
            ((FloatVector) e0.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt);
            ((FloatVector) e1.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 16);
            ((FloatVector) e2.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 32);
            ((FloatVector) e3.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 48);
            ((FloatVector) e4.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 64);
            ((FloatVector) e5.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 80);
            ((FloatVector) e6.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 96);
            ((FloatVector) e7.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 112);
        }
    }

    private static void twoBlocks(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, int nines,
            int segment, float factor, float[] y) {
        IntVector e0 = IntVector.zero(INTS);
        IntVector e1 = e0;
        IntVector e2 = e0;
        IntVector e3 = e0;
        long p = codesAt;
        long q = tablesAt;
        for (int nine = 0; nine < nines;) {
            int end = Math.min(nines, nine + segment);
            ShortVector a0 = ShortVector.zero(SHORTS);
            ShortVector a1 = a0;
            for (; nine < end; nine++, p += 2 * BLOCK, q += NINE_TABLES) {
                ShortVector t0 = ShortVector.fromMemorySegment(SHORTS, tables, q, ORDER);
                ShortVector t1 = ShortVector.fromMemorySegment(SHORTS, tables, q + BLOCK, ORDER);
                ShortVector t2 = ShortVector.fromMemorySegment(SHORTS, tables, q + 2 * BLOCK, ORDER);
                ShortVector c = ShortVector.fromMemorySegment(SHORTS, codes, p, ORDER);
                a0 = a0.add(c.selectFrom(t0)
                        .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts()
                                .selectFrom(t1))
                        .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts()
                                .selectFrom(t2)));
                c = ShortVector.fromMemorySegment(SHORTS, codes, p + BLOCK, ORDER);
                a1 = a1.add(c.selectFrom(t0)
                        .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts()
                                .selectFrom(t1))
                        .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts()
                                .selectFrom(t2)));
            }
            IntVector w = a0.reinterpretAsInts();
            e0 = e0.add(w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            e1 = e1.add(w.lanewise(VectorOperators.ASHR, 16));
            w = a1.reinterpretAsInts();
            e2 = e2.add(w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            e3 = e3.add(w.lanewise(VectorOperators.ASHR, 16));
        }
        ((FloatVector) e0.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, 0);
        ((FloatVector) e1.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, 16);
        ((FloatVector) e2.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, 32);
        ((FloatVector) e3.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, 48);
    }

    private static void oneBlock(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, int nines,
            int segment, float factor, float[] y) {
        IntVector e0 = IntVector.zero(INTS);
        IntVector e1 = e0;
        long p = codesAt;
        long q = tablesAt;
        for (int nine = 0; nine < nines;) {
            int end = Math.min(nines, nine + segment);
            ShortVector a = ShortVector.zero(SHORTS);
            for (; nine < end; nine++, p += BLOCK, q += NINE_TABLES) {
                ShortVector c = ShortVector.fromMemorySegment(SHORTS, codes, p, ORDER);
                a = a.add(c.selectFrom(ShortVector.fromMemorySegment(SHORTS, tables, q, ORDER))
                        .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts()
                                .selectFrom(ShortVector.fromMemorySegment(SHORTS, tables, q + BLOCK, ORDER)))
                        .add(c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts()
                                .selectFrom(ShortVector.fromMemorySegment(SHORTS, tables, q + 2 * BLOCK, ORDER))));
            }
            IntVector w = a.reinterpretAsInts();
            e0 = e0.add(w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            e1 = e1.add(w.lanewise(VectorOperators.ASHR, 16));
        }
        ((FloatVector) e0.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, 0);
        ((FloatVector) e1.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, 16);
    }

    /** 64 rows, four tokens, one segment: what is read of a table serves two vectors of rows, what is read of rows four tokens. */
    private static void pairOfTokens(MemorySegment codes, long codesAt, long codesStep, MemorySegment tables,
            long tablesAt, long stride, int nines, int[] sums, int at, int padded, boolean first) {
        ShortVector a0 = ShortVector.zero(SHORTS);
        ShortVector a1 = a0;
        ShortVector a2 = a0;
        ShortVector a3 = a0;
        ShortVector b0 = a0;
        ShortVector b1 = a0;
        ShortVector b2 = a0;
        ShortVector b3 = a0;
        long p = codesAt;
        long q = tablesAt;
        for (int nine = 0; nine < nines; nine++, p += codesStep, q += NINE_TABLES) {
            ShortVector c0 = ShortVector.fromMemorySegment(SHORTS, codes, p, ORDER);
            ShortVector c1 = c0.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts();
            ShortVector c2 = c0.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts();
            ShortVector d0 = ShortVector.fromMemorySegment(SHORTS, codes, p + BLOCK, ORDER);
            ShortVector d1 = d0.reinterpretAsInts().lanewise(VectorOperators.LSHR, 5).reinterpretAsShorts();
            ShortVector d2 = d0.reinterpretAsInts().lanewise(VectorOperators.LSHR, 10).reinterpretAsShorts();
            long r = q;
            ShortVector t0 = ShortVector.fromMemorySegment(SHORTS, tables, r, ORDER);
            ShortVector t1 = ShortVector.fromMemorySegment(SHORTS, tables, r + BLOCK, ORDER);
            ShortVector t2 = ShortVector.fromMemorySegment(SHORTS, tables, r + 2 * BLOCK, ORDER);
            a0 = a0.add(c0.selectFrom(t0).add(c1.selectFrom(t1)).add(c2.selectFrom(t2)));
            b0 = b0.add(d0.selectFrom(t0).add(d1.selectFrom(t1)).add(d2.selectFrom(t2)));
            r = q + stride;
            t0 = ShortVector.fromMemorySegment(SHORTS, tables, r, ORDER);
            t1 = ShortVector.fromMemorySegment(SHORTS, tables, r + BLOCK, ORDER);
            t2 = ShortVector.fromMemorySegment(SHORTS, tables, r + 2 * BLOCK, ORDER);
            a1 = a1.add(c0.selectFrom(t0).add(c1.selectFrom(t1)).add(c2.selectFrom(t2)));
            b1 = b1.add(d0.selectFrom(t0).add(d1.selectFrom(t1)).add(d2.selectFrom(t2)));
            r = q + 2 * stride;
            t0 = ShortVector.fromMemorySegment(SHORTS, tables, r, ORDER);
            t1 = ShortVector.fromMemorySegment(SHORTS, tables, r + BLOCK, ORDER);
            t2 = ShortVector.fromMemorySegment(SHORTS, tables, r + 2 * BLOCK, ORDER);
            a2 = a2.add(c0.selectFrom(t0).add(c1.selectFrom(t1)).add(c2.selectFrom(t2)));
            b2 = b2.add(d0.selectFrom(t0).add(d1.selectFrom(t1)).add(d2.selectFrom(t2)));
            r = q + 3 * stride;
            t0 = ShortVector.fromMemorySegment(SHORTS, tables, r, ORDER);
            t1 = ShortVector.fromMemorySegment(SHORTS, tables, r + BLOCK, ORDER);
            t2 = ShortVector.fromMemorySegment(SHORTS, tables, r + 2 * BLOCK, ORDER);
            a3 = a3.add(c0.selectFrom(t0).add(c1.selectFrom(t1)).add(c2.selectFrom(t2)));
            b3 = b3.add(d0.selectFrom(t0).add(d1.selectFrom(t1)).add(d2.selectFrom(t2)));
        }
        IntVector a0low = a0.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector a0high = a0.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        IntVector b0low = b0.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector b0high = b0.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        IntVector a1low = a1.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector a1high = a1.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        IntVector b1low = b1.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector b1high = b1.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        IntVector a2low = a2.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector a2high = a2.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        IntVector b2low = b2.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector b2high = b2.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        IntVector a3low = a3.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector a3high = a3.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        IntVector b3low = b3.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector b3high = b3.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16);
        if (!first) {
            a0low = a0low.add(IntVector.fromArray(INTS, sums, at));
            a0high = a0high.add(IntVector.fromArray(INTS, sums, at + 16));
            b0low = b0low.add(IntVector.fromArray(INTS, sums, at + 32));
            b0high = b0high.add(IntVector.fromArray(INTS, sums, at + 48));
            a1low = a1low.add(IntVector.fromArray(INTS, sums, at + padded));
            a1high = a1high.add(IntVector.fromArray(INTS, sums, at + padded + 16));
            b1low = b1low.add(IntVector.fromArray(INTS, sums, at + padded + 32));
            b1high = b1high.add(IntVector.fromArray(INTS, sums, at + padded + 48));
            a2low = a2low.add(IntVector.fromArray(INTS, sums, at + 2 * padded));
            a2high = a2high.add(IntVector.fromArray(INTS, sums, at + 2 * padded + 16));
            b2low = b2low.add(IntVector.fromArray(INTS, sums, at + 2 * padded + 32));
            b2high = b2high.add(IntVector.fromArray(INTS, sums, at + 2 * padded + 48));
            a3low = a3low.add(IntVector.fromArray(INTS, sums, at + 3 * padded));
            a3high = a3high.add(IntVector.fromArray(INTS, sums, at + 3 * padded + 16));
            b3low = b3low.add(IntVector.fromArray(INTS, sums, at + 3 * padded + 32));
            b3high = b3high.add(IntVector.fromArray(INTS, sums, at + 3 * padded + 48));
        }
        a0low.intoArray(sums, at);
        a0high.intoArray(sums, at + 16);
        b0low.intoArray(sums, at + 32);
        b0high.intoArray(sums, at + 48);
        a1low.intoArray(sums, at + padded);
        a1high.intoArray(sums, at + padded + 16);
        b1low.intoArray(sums, at + padded + 32);
        b1high.intoArray(sums, at + padded + 48);
        a2low.intoArray(sums, at + 2 * padded);
        a2high.intoArray(sums, at + 2 * padded + 16);
        b2low.intoArray(sums, at + 2 * padded + 32);
        b2high.intoArray(sums, at + 2 * padded + 48);
        a3low.intoArray(sums, at + 3 * padded);
        a3high.intoArray(sums, at + 3 * padded + 16);
        b3low.intoArray(sums, at + 3 * padded + 32);
        b3high.intoArray(sums, at + 3 * padded + 48);
    }
    // length ends

    /** For each nine inputs three tables of 27 sums. */
    private static final class Tables implements Int8Input.Tables {
        private static final int ZERO = 2 * NINE; // a lane of the window that holds no input
        // Lanes 0 to 8 are the inputs, 9 to 17 the same with the other sign, the rest is zero.
        private static final short[] WINDOW = lanes(lane -> lane % NINE);
        private static final short[] SIGNS = lanes(lane -> lane < NINE ? 1 : lane < ZERO ? -1 : 0);
        private static final short[][] PICKS = picks();

        private static short[] lanes(IntUnaryOperator value) {
            short[] lanes = new short[LANES];
            for (int lane = 0; lane < LANES; lane++) {
                lanes[lane] = (short) value.applyAsInt(lane);
            }
            return lanes;
        }

        /** For each input, the lane of the window that an entry takes: the input, its negative, or zero. */
        private static short[][] picks() {
            short[][] picks = new short[NINE][];
            for (int input = 0; input < NINE; input++) {
                int power = input % 3 == 0 ? 9 : input % 3 == 1 ? 3 : 1;
                int plus = input;
                picks[input] = lanes(entry -> {
                    int digit = entry < 27 ? entry / power % 3 : 1;
                    return digit == 2 ? plus : digit == 0 ? NINE + plus : ZERO;
                });
            }
            return picks;
        }

        @Override
        public long bytes(int columns) {
            return (long) Math.ceilDiv(columns, NINE) * NINE_TABLES;
        }

        // An input behind the last column is some other number; the weights there are 0, so nobody looks it up.
        @Override
        public void build(byte[] codes, int offset, int columns, MemorySegment tables, long at) {
            ShortVector window = ShortVector.fromArray(SHORTS, WINDOW, 0);
            ShortVector signs = ShortVector.fromArray(SHORTS, SIGNS, 0);
            ShortVector pick0 = ShortVector.fromArray(SHORTS, PICKS[0], 0);
            ShortVector pick1 = ShortVector.fromArray(SHORTS, PICKS[1], 0);
            ShortVector pick2 = ShortVector.fromArray(SHORTS, PICKS[2], 0);
            ShortVector pick3 = ShortVector.fromArray(SHORTS, PICKS[3], 0);
            ShortVector pick4 = ShortVector.fromArray(SHORTS, PICKS[4], 0);
            ShortVector pick5 = ShortVector.fromArray(SHORTS, PICKS[5], 0);
            ShortVector pick6 = ShortVector.fromArray(SHORTS, PICKS[6], 0);
            ShortVector pick7 = ShortVector.fromArray(SHORTS, PICKS[7], 0);
            ShortVector pick8 = ShortVector.fromArray(SHORTS, PICKS[8], 0);
            // A load that nobody uses: it tells the compiler that the segment lies off the heap, and so spares the stores
            // their checks in the loop, which take longer than all else in it.
            ShortVector.fromMemorySegment(SHORTS, tables, at, ORDER);
            long to = at;
            for (int from = offset; from < offset + columns; from += NINE, to += NINE_TABLES) {
                ShortVector x = window.selectFrom((ShortVector) ByteVector.fromArray(BYTES, codes, from)
                        .convertShape(VectorOperators.B2S, SHORTS, 0)).mul(signs);
                pick0.selectFrom(x).add(pick1.selectFrom(x)).add(pick2.selectFrom(x))
                        .intoMemorySegment(tables, to, ORDER);
                pick3.selectFrom(x).add(pick4.selectFrom(x)).add(pick5.selectFrom(x))
                        .intoMemorySegment(tables, to + BLOCK, ORDER);
                pick6.selectFrom(x).add(pick7.selectFrom(x)).add(pick8.selectFrom(x))
                        .intoMemorySegment(tables, to + 2 * BLOCK, ORDER);
            }
        }
    }
}
