package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.GroupScales;
import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Lut16} with a scale for each group of inputs of a row. Naive twin: {@code NaiveKernels.groupedSums}, equal to the bit.
 *
 * <p>A group is nines and a rest of at most eight inputs, whose code is looked up in as many tables as it needs: one for groups of 64
 * and of 128. At its end the sums are widened, become floats, and are multiplied by their rows' scales, which lie beside the codes: for
 * each 128 rows and each group 128 codes a nine, and 128 scales.
 */
final class GroupedLut16 implements Kernels.Weights {
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final VectorOperators.Conversion<Integer, Float> TO_FLOAT = VectorOperators.I2F;

    private static final int BLOCK = 64; // bytes of a vector
    private static final int ROWS = 128; // at once
    private static final int NINE = 9;
    private static final int NINE_TABLES = 3 * BLOCK;
    private static final int NINE_CODES = 2 * ROWS;

    private final MemorySegment codes;
    private final MemorySegment scales;
    private final int rows;
    private final int size;
    private final int groups;

    GroupedLut16(Kernels.Codes ternary, int rows, GroupScales of) {
        this.rows = rows;
        this.size = of.size();
        this.groups = of.groups();
        int blocks = Math.ceilDiv(rows, ROWS);
        int nines = nines();
        codes = Arena.ofAuto().allocate((long) blocks * groups * nines * NINE_CODES, BLOCK);
        scales = Arena.ofAuto().allocate((long) blocks * groups * ROWS * 4, BLOCK);
        short[] ordered = new short[Math.multiplyExact(groups * nines, ROWS)];
        byte[] row = new byte[groups * size];
        byte[] group = new byte[nines * NINE]; // zeros behind the last column
        for (int first = 0; first < rows; first += ROWS) {
            Arrays.fill(ordered, (short) 0);
            for (int r = first; r < Math.min(rows, first + ROWS); r++) {
                ternary.read(r, row, 0);
                for (int g = 0; g < groups; g++) {
                    System.arraycopy(row, g * size, group, 0, size);
                    for (int nine = 0; nine < nines; nine++) {
                        ordered[(g * nines + nine) * ROWS + Lut16.lane(r - first)] = Lut16.nine(group, nine * NINE);
                    }
                    long at = ((long) first / ROWS * groups + g) * ROWS + r - first;
                    scales.setAtIndex(ValueLayout.JAVA_FLOAT, at, of.scale(r, g));
                }
            }
            MemorySegment.copy(ordered, 0, codes, ValueLayout.JAVA_SHORT, 2L * first / ROWS * ordered.length,
                    ordered.length);
        }
    }

    private int nines() {
        return Math.ceilDiv(size, NINE);
    }

    @Override
    public String kernel() {
        return "lut16";
    }

    @Override
    public long bytes() {
        return codes.byteSize() + scales.byteSize();
    }

    @Override
    public void read(int row, byte[] to, int offset) {
        for (int column = 0; column < groups * size; column++) {
            int within = column % size;
            long nine = ((long) row / ROWS * groups + column / size) * nines() + within / NINE;
            short of = codes.getAtIndex(ValueLayout.JAVA_SHORT, nine * ROWS + Lut16.lane(row % ROWS));
            to[offset + column] = Lut16.code(of, within % NINE);
        }
    }

    @Override
    public void prepare(Int8Input x) {
        x.groups(size).tables(Lut16.TABLES);
    }

    @Override
    public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
        MemorySegment tables = x.groups(size).tables(Lut16.TABLES);
        long stride = (long) nines() * NINE_TABLES;
        int whole = rows / ROWS;
        for (int t = 0; t < n; t++) {
            long tablesAt = (first + t) * stride;
            long step = x.rows() * stride - stride;
            float factor = scale / x.scales()[first + t];
            blocks(codes, scales, 0, tables, tablesAt, step, groups, size, factor, y, yOffset + t * yStride, whole);
            if (whole * ROWS < rows) {
                float[] last = x.floats(ROWS); // there may be less room than rows
                blocks(codes, scales, whole, tables, tablesAt, step, groups, size, factor, last, 0, 1);
                System.arraycopy(last, 0, y, yOffset + t * yStride + whole * ROWS, rows - whole * ROWS);
            }
        }
    }

    // length: as in Lut16, loads are written out and vectors stay in one method
    /** Some blocks of 128 rows; from a group's tables to the next group's there is a step more. */
    private static void blocks(MemorySegment codes, MemorySegment scales, long block, MemorySegment tables,
            long tablesAt, long step, int groups, int size, float factor, float[] y, int yOffset, int blocks) {
        int nines = size / NINE;
        int rest = Math.ceilDiv(size % NINE, 3);
        long p = block * groups * Math.ceilDiv(size, NINE) * NINE_CODES;
        long s = block * groups * ROWS * 4;
        for (int of = 0, yAt = yOffset; of < blocks; of++, yAt += ROWS) {
            FloatVector e0 = FloatVector.zero(FLOATS);
            FloatVector e1 = e0;
            FloatVector e2 = e0;
            FloatVector e3 = e0;
            FloatVector e4 = e0;
            FloatVector e5 = e0;
            FloatVector e6 = e0;
            FloatVector e7 = e0;
            long q = tablesAt;
            for (int group = 0; group < groups; group++, s += 4 * ROWS, q += step) {
                ShortVector a0 = ShortVector.zero(SHORTS);
                ShortVector a1 = a0;
                ShortVector a2 = a0;
                ShortVector a3 = a0;
                for (int nine = 0; nine < nines; nine++, p += NINE_CODES, q += NINE_TABLES) {
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
                if (rest > 0) {
                    ShortVector t0 = ShortVector.fromMemorySegment(SHORTS, tables, q, ORDER);
                    a0 = a0.add(ShortVector.fromMemorySegment(SHORTS, codes, p, ORDER).selectFrom(t0));
                    a1 = a1.add(ShortVector.fromMemorySegment(SHORTS, codes, p + BLOCK, ORDER).selectFrom(t0));
                    a2 = a2.add(ShortVector.fromMemorySegment(SHORTS, codes, p + 2 * BLOCK, ORDER).selectFrom(t0));
                    a3 = a3.add(ShortVector.fromMemorySegment(SHORTS, codes, p + 3 * BLOCK, ORDER).selectFrom(t0));
                    for (int look = 1; look < rest; look++) {
                        t0 = ShortVector.fromMemorySegment(SHORTS, tables, q + look * BLOCK, ORDER);
                        a0 = a0.add(ShortVector.fromMemorySegment(SHORTS, codes, p, ORDER).reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 5 * look).reinterpretAsShorts().selectFrom(t0));
                        a1 = a1.add(ShortVector.fromMemorySegment(SHORTS, codes, p + BLOCK, ORDER).reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 5 * look).reinterpretAsShorts().selectFrom(t0));
                        a2 = a2.add(
                                ShortVector.fromMemorySegment(SHORTS, codes, p + 2 * BLOCK, ORDER).reinterpretAsInts()
                                        .lanewise(VectorOperators.LSHR, 5 * look).reinterpretAsShorts().selectFrom(t0));
                        a3 = a3.add(
                                ShortVector.fromMemorySegment(SHORTS, codes, p + 3 * BLOCK, ORDER).reinterpretAsInts()
                                        .lanewise(VectorOperators.LSHR, 5 * look).reinterpretAsShorts().selectFrom(t0));
                    }
                    p += NINE_CODES;
                    q += NINE_TABLES;
                }
                IntVector w;
                w = a0.reinterpretAsInts();
                e0 = e0.add(((FloatVector) w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                        .convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s, ORDER)));
                e1 = e1.add(((FloatVector) w.lanewise(VectorOperators.ASHR, 16).convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s + BLOCK, ORDER)));
                w = a1.reinterpretAsInts();
                e2 = e2.add(((FloatVector) w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                        .convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s + 2 * BLOCK, ORDER)));
                e3 = e3.add(((FloatVector) w.lanewise(VectorOperators.ASHR, 16).convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s + 3 * BLOCK, ORDER)));
                w = a2.reinterpretAsInts();
                e4 = e4.add(((FloatVector) w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                        .convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s + 4 * BLOCK, ORDER)));
                e5 = e5.add(((FloatVector) w.lanewise(VectorOperators.ASHR, 16).convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s + 5 * BLOCK, ORDER)));
                w = a3.reinterpretAsInts();
                e6 = e6.add(((FloatVector) w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                        .convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s + 6 * BLOCK, ORDER)));
                e7 = e7.add(((FloatVector) w.lanewise(VectorOperators.ASHR, 16).convert(TO_FLOAT, 0))
                        .mul(FloatVector.fromMemorySegment(FLOATS, scales, s + 7 * BLOCK, ORDER)));
            }
            e0.mul(factor).intoArray(y, yAt);
            e1.mul(factor).intoArray(y, yAt + 16);
            e2.mul(factor).intoArray(y, yAt + 32);
            e3.mul(factor).intoArray(y, yAt + 48);
            e4.mul(factor).intoArray(y, yAt + 64);
            e5.mul(factor).intoArray(y, yAt + 80);
            e6.mul(factor).intoArray(y, yAt + 96);
            e7.mul(factor).intoArray(y, yAt + 112);
        }
    }
    // length ends
}
