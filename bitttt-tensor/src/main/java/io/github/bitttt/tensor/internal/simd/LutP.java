package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Ternary sums by table look-up, additions only. Naive twin: {@code NaiveKernels.sums}.
 *
 * <p>Three inputs form a group; their 27 possible signed sums are a table, and a weight byte says which one it is:
 * 9 (w0 + 1) + 3 (w1 + 1) + (w2 + 1), plus 32 in odd groups, because the tables of two groups share one vector. An input x is
 * split into nibbles, x = 16 hi + lo with lo in [-8, 7], so that a sum of three fits a byte; each table entry carries a bias of
 * 24 that makes it positive. Five groups sum to at most 240 in a byte and are then widened to 16 bits, and after
 * {@value #FLUSH} groups to 32, before those overflow.
 *
 * <p>Weights lie by blocks of 64 rows; lane r of a block holds row (r&1) 32 + ((r>>1)&1) 16 + (r>>2), which is where widening
 * puts it.
 */
final class LutP implements Kernels.Weights {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_512;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private static final int LANES = 64;
    private static final int BIAS = 24;
    private static final int STEP = 10; // groups of one turn of the loop: twice five, in five table vectors
    // 16-bit lanes take 240 for every five groups: 65,535 / 240 * 5 groups, down to whole turns.
    private static final int FLUSH = 1360;

    private static final int INPUTS = 3 * STEP;
    private static final int ZERO = INPUTS; // a lane of the window that holds no input

    // Lanes 0 to 29 are the inputs of one turn of the loop, 32 to 61 the same, to be negated; the rest is cleared.
    private static final byte[] WINDOW = lanes(lane -> lane % 32);
    private static final byte[] FLIP = lanes(lane -> lane < 32 ? 0 : -1);
    private static final byte[] SIXTEEN_LESS = lanes(lane -> lane < 32 ? 0 : 17); // after a flip: 16 - b = ~b + 17
    // Read from INPUTS - n on, it keeps the first n lanes.
    private static final byte[] KEEP = keep();
    // For each of five pairs of groups and each of a group's three inputs, the window's lane that a code byte picks.
    private static final byte[] PICKS = picks();

    static final Int8Input.Tables TABLES = new Int8Input.Tables() {
        // A pair of groups has a table of its low nibbles and one of its high ones.
        @Override
        public long bytes(int columns) {
            return groups(columns) / 2 * 2L * LANES;
        }

        @Override
        public void build(byte[] x, int offset, int columns, MemorySegment tables, long at) {
            buildTables(x, offset, columns, tables, at);
        }
    };

    private final MemorySegment codes;
    private final int rows;
    private final int groups;

    LutP(byte[] ternary, int rows, int columns) {
        this.rows = rows;
        this.groups = groups(columns);
        int blocks = Math.ceilDiv(rows, LANES);
        byte[] ordered = new byte[Math.multiplyExact(blocks * groups, LANES)];
        for (int block = 0; block < blocks; block++) {
            for (int group = 0; group < groups; group++) {
                for (int lane = 0; lane < LANES; lane++) {
                    int row = block * LANES + (lane & 1) * 32 + (lane >> 1 & 1) * 16 + (lane >> 2);
                    ordered[(block * groups + group) * LANES + lane] = (byte) (code(ternary, row, columns, 3 * group)
                            + 32 * (group & 1));
                }
            }
        }
        codes = aligned(ordered);
    }

    private int code(byte[] ternary, int row, int columns, int column) {
        int code = 0;
        for (int i = column; i < column + 3; i++) {
            code = 3 * code + 1 + (row < rows && i < columns ? ternary[row * columns + i] : 0);
        }
        return code;
    }

    private static int groups(int columns) {
        return Math.ceilDiv(Math.ceilDiv(columns, 3), STEP) * STEP;
    }

    private static byte[] lanes(IntUnaryOperator value) {
        byte[] lanes = new byte[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            lanes[lane] = (byte) value.applyAsInt(lane);
        }
        return lanes;
    }

    private static byte[] keep() {
        byte[] keep = new byte[INPUTS + LANES];
        Arrays.fill(keep, 0, INPUTS, (byte) -1);
        return keep;
    }

    private static byte[] picks() {
        byte[] picks = new byte[STEP / 2 * 3 * LANES];
        for (int at = 0; at < picks.length; at++) {
            int pair = at / (3 * LANES);
            int input = at / LANES % 3;
            int group = 2 * pair + at % LANES / 32;
            int code = at % 32;
            int digit = code >= 27 ? 1 : input == 0 ? code / 9 : input == 1 ? code / 3 % 3 : code % 3;
            int lane = 3 * group + input;
            picks[at] = (byte) (digit == 2 ? lane : digit == 0 ? 32 + lane : ZERO);
        }
        return picks;
    }

    private static MemorySegment aligned(byte[] bytes) {
        MemorySegment segment = Arena.ofAuto().allocate(bytes.length, LANES);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    // length: the fifteen picks stay in registers; a loop over them costs three times as much
    private static void buildTables(byte[] x, int offset, int columns, MemorySegment tables, long at) {
        Objects.checkFromIndexSize(offset, columns + LANES, x.length);
        ByteVector pick0 = ByteVector.fromArray(BYTES, PICKS, 0);
        ByteVector pick1 = ByteVector.fromArray(BYTES, PICKS, 64);
        ByteVector pick2 = ByteVector.fromArray(BYTES, PICKS, 128);
        ByteVector pick3 = ByteVector.fromArray(BYTES, PICKS, 192);
        ByteVector pick4 = ByteVector.fromArray(BYTES, PICKS, 256);
        ByteVector pick5 = ByteVector.fromArray(BYTES, PICKS, 320);
        ByteVector pick6 = ByteVector.fromArray(BYTES, PICKS, 384);
        ByteVector pick7 = ByteVector.fromArray(BYTES, PICKS, 448);
        ByteVector pick8 = ByteVector.fromArray(BYTES, PICKS, 512);
        ByteVector pick9 = ByteVector.fromArray(BYTES, PICKS, 576);
        ByteVector pick10 = ByteVector.fromArray(BYTES, PICKS, 640);
        ByteVector pick11 = ByteVector.fromArray(BYTES, PICKS, 704);
        ByteVector pick12 = ByteVector.fromArray(BYTES, PICKS, 768);
        ByteVector pick13 = ByteVector.fromArray(BYTES, PICKS, 832);
        ByteVector pick14 = ByteVector.fromArray(BYTES, PICKS, 896);
        ByteVector window = ByteVector.fromArray(BYTES, WINDOW, 0);
        ByteVector flip = ByteVector.fromArray(BYTES, FLIP, 0);
        ByteVector sixteenLess = ByteVector.fromArray(BYTES, SIXTEEN_LESS, 0);
        // A load that nobody uses, see Lut16.
        ByteVector.fromMemorySegment(BYTES, tables, at, ORDER);
        long to = at;
        for (int from = 0; from < columns; from += INPUTS) {
            // Masks would be objects here: bytes of ones and zeros are not.
            ByteVector w = window.selectFrom(ByteVector.fromArray(BYTES, x, offset + from)
                    .and(ByteVector.fromArray(BYTES, KEEP, Math.max(INPUTS - columns + from, 0))));
            // w = 16 hi + lo with lo in [-8, 7], each 8 too large here, which makes the bias of 24 for a sum of three:
            // hi = (w >> 4) + bit 3 of w. Shifts of bytes compile badly, those of ints do not.
            ByteVector lo = w.add((byte) 8).and((byte) 15);
            IntVector wide = w.reinterpretAsInts();
            ByteVector hi = wide.lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes().and((byte) 15)
                    .lanewise(VectorOperators.XOR, (byte) 8)
                    .add(wide.lanewise(VectorOperators.LSHR, 3).reinterpretAsBytes().and((byte) 1));
            ByteVector low = lo.lanewise(VectorOperators.XOR, flip).add(sixteenLess);
            ByteVector high = hi.lanewise(VectorOperators.XOR, flip).add(sixteenLess);
            pick0.selectFrom(low).add(pick1.selectFrom(low)).add(pick2.selectFrom(low))
                    .intoMemorySegment(tables, to + 0, ORDER);
            pick0.selectFrom(high).add(pick1.selectFrom(high)).add(pick2.selectFrom(high))
                    .intoMemorySegment(tables, to + 64, ORDER);
            pick3.selectFrom(low).add(pick4.selectFrom(low)).add(pick5.selectFrom(low))
                    .intoMemorySegment(tables, to + 128, ORDER);
            pick3.selectFrom(high).add(pick4.selectFrom(high)).add(pick5.selectFrom(high))
                    .intoMemorySegment(tables, to + 192, ORDER);
            pick6.selectFrom(low).add(pick7.selectFrom(low)).add(pick8.selectFrom(low))
                    .intoMemorySegment(tables, to + 256, ORDER);
            pick6.selectFrom(high).add(pick7.selectFrom(high)).add(pick8.selectFrom(high))
                    .intoMemorySegment(tables, to + 320, ORDER);
            pick9.selectFrom(low).add(pick10.selectFrom(low)).add(pick11.selectFrom(low))
                    .intoMemorySegment(tables, to + 384, ORDER);
            pick9.selectFrom(high).add(pick10.selectFrom(high)).add(pick11.selectFrom(high))
                    .intoMemorySegment(tables, to + 448, ORDER);
            pick12.selectFrom(low).add(pick13.selectFrom(low)).add(pick14.selectFrom(low))
                    .intoMemorySegment(tables, to + 512, ORDER);
            pick12.selectFrom(high).add(pick13.selectFrom(high)).add(pick14.selectFrom(high))
                    .intoMemorySegment(tables, to + 576, ORDER);
            to += STEP / 2 * 2 * LANES;
        }
    }
    // length ends

    @Override
    public String kernel() {
        return "lutP";
    }

    @Override
    public void prepare(Int8Input x) {
        x.tables(TABLES);
    }

    @Override
    public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
        MemorySegment tables = x.tables(TABLES);
        int[] sums = x.ints(Math.ceilDiv(rows, LANES) * LANES);
        for (int t = 0; t < n; t++) {
            long tablesAt = (first + t) * TABLES.bytes(x.columns());
            for (int block = 0; block * LANES < rows; block++) {
                for (int from = 0; from < groups; from += FLUSH) {
                    block(codes, ((long) block * groups + from) * LANES, tables, tablesAt + from * 64L,
                            Math.min(groups - from, FLUSH), sums, block * LANES, from == 0);
                }
            }
            NaiveKernels.scale(sums, rows, scale / x.scales()[first + t], y, yOffset + t * yStride);
        }
    }

    // length: vectors that leave a method are boxed, so the whole sum is one method
    /** 64 rows over some groups. Vectors must not leave the method: they would be boxed. Loads are written out: behind a
     * method of their own they are compiled to a quarter of the speed. */
    private static void block(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, int groups,
            int[] y,
            int yAt, boolean first) {
        ShortVector zero = ShortVector.zero(SHORTS);
        ShortVector lowAll = zero;
        ShortVector lowOdd = zero;
        ShortVector highAll = zero;
        ShortVector highOdd = zero;
        ShortVector byteMask = ShortVector.broadcast(SHORTS, 255);
        long p = codesAt;
        long q = tablesAt;
        for (int group = 0; group < groups; group += STEP, p += STEP * 64L, q += STEP * 64L) {
            ByteVector l2 = ByteVector.fromMemorySegment(BYTES, tables, q + 256, ORDER);
            ByteVector h2 = ByteVector.fromMemorySegment(BYTES, tables, q + 320, ORDER);
            ByteVector l0 = ByteVector.fromMemorySegment(BYTES, tables, q, ORDER);
            ByteVector h0 = ByteVector.fromMemorySegment(BYTES, tables, q + 64, ORDER);
            ByteVector l1 = ByteVector.fromMemorySegment(BYTES, tables, q + 128, ORDER);
            ByteVector h1 = ByteVector.fromMemorySegment(BYTES, tables, q + 192, ORDER);
            ByteVector i0 = ByteVector.fromMemorySegment(BYTES, codes, p, ORDER);
            ByteVector i1 = ByteVector.fromMemorySegment(BYTES, codes, p + 64, ORDER);
            ByteVector i2 = ByteVector.fromMemorySegment(BYTES, codes, p + 128, ORDER);
            ByteVector i3 = ByteVector.fromMemorySegment(BYTES, codes, p + 192, ORDER);
            ByteVector i4 = ByteVector.fromMemorySegment(BYTES, codes, p + 256, ORDER);
            ShortVector low = i0.selectFrom(l0).add(i1.selectFrom(l0)).add(i2.selectFrom(l1)).add(i3.selectFrom(l1))
                    .add(i4.selectFrom(l2)).reinterpretAsShorts();
            ShortVector high = i0.selectFrom(h0).add(i1.selectFrom(h0)).add(i2.selectFrom(h1)).add(i3.selectFrom(h1))
                    .add(i4.selectFrom(h2)).reinterpretAsShorts();
            lowAll = lowAll.add(low);
            lowOdd = lowOdd
                    .add(low.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().and(byteMask));
            highAll = highAll.add(high);
            highOdd = highOdd
                    .add(high.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts()
                            .and(byteMask));
            ByteVector l3 = ByteVector.fromMemorySegment(BYTES, tables, q + 384, ORDER);
            ByteVector h3 = ByteVector.fromMemorySegment(BYTES, tables, q + 448, ORDER);
            ByteVector l4 = ByteVector.fromMemorySegment(BYTES, tables, q + 512, ORDER);
            ByteVector h4 = ByteVector.fromMemorySegment(BYTES, tables, q + 576, ORDER);
            ByteVector i5 = ByteVector.fromMemorySegment(BYTES, codes, p + 320, ORDER);
            ByteVector i6 = ByteVector.fromMemorySegment(BYTES, codes, p + 384, ORDER);
            ByteVector i7 = ByteVector.fromMemorySegment(BYTES, codes, p + 448, ORDER);
            ByteVector i8 = ByteVector.fromMemorySegment(BYTES, codes, p + 512, ORDER);
            ByteVector i9 = ByteVector.fromMemorySegment(BYTES, codes, p + 576, ORDER);
            low = i5.selectFrom(l2).add(i6.selectFrom(l3)).add(i7.selectFrom(l3)).add(i8.selectFrom(l4))
                    .add(i9.selectFrom(l4)).reinterpretAsShorts();
            high = i5.selectFrom(h2).add(i6.selectFrom(h3)).add(i7.selectFrom(h3)).add(i8.selectFrom(h4))
                    .add(i9.selectFrom(h4)).reinterpretAsShorts();
            lowAll = lowAll.add(low);
            lowOdd = lowOdd
                    .add(low.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().and(byteMask));
            highAll = highAll.add(high);
            highOdd = highOdd
                    .add(high.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts()
                            .and(byteMask));
        }
        ShortVector upperMask = ShortVector.broadcast(SHORTS, (short) 0xff00);
        // Even bytes: all, less the odd ones' share; in 16 bits that is exact although "all" has wrapped around.
        IntVector lowOdds = lowOdd.reinterpretAsInts();
        IntVector highOdds = highOdd.reinterpretAsInts();
        IntVector lowEvens = lowAll.sub(lowOdds.lanewise(VectorOperators.LSHL, 8).reinterpretAsShorts().and(upperMask))
                .reinterpretAsInts();
        IntVector highEvens = highAll
                .sub(highOdds.lanewise(VectorOperators.LSHL, 8).reinterpretAsShorts().and(upperMask))
                .reinterpretAsInts();
        int bias = BIAS * groups * 17;
        IntVector s0 = lowEvens.and(0xffff).add(highEvens.and(0xffff).lanewise(VectorOperators.LSHL, 4)).sub(bias);
        IntVector s1 = lowEvens.lanewise(VectorOperators.LSHR, 16)
                .add(highEvens.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 4)).sub(bias);
        IntVector s2 = lowOdds.and(0xffff).add(highOdds.and(0xffff).lanewise(VectorOperators.LSHL, 4)).sub(bias);
        IntVector s3 = lowOdds.lanewise(VectorOperators.LSHR, 16)
                .add(highOdds.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 4)).sub(bias);
        if (!first) {
            s0 = s0.add(IntVector.fromArray(INTS, y, yAt));
            s1 = s1.add(IntVector.fromArray(INTS, y, yAt + 16));
            s2 = s2.add(IntVector.fromArray(INTS, y, yAt + 32));
            s3 = s3.add(IntVector.fromArray(INTS, y, yAt + 48));
        }
        s0.intoArray(y, yAt);
        s1.intoArray(y, yAt + 16);
        s2.intoArray(y, yAt + 32);
        s3.intoArray(y, yAt + 48);
    }
    // length ends
}
