package io.github.bitttt.capi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HandlesTest {
    private static final Handles.Kind<String> TEXT = new Handles.Kind<>("a text", String.class);
    private static final Handles.Kind<Integer> NUMBER = new Handles.Kind<>("a number", Integer.class);

    private final Handles handles = new Handles();

    private static void fails(Runnable call, String message) {
        assertThatExceptionOfType(CallException.class).isThrownBy(call::run).withMessage(message)
                .satisfies(thrown -> assertThat(thrown.code()).isEqualTo(ErrorCode.HANDLE));
    }

    @Test
    void standsForAnObjectUntilItEnds() {
        long handle = handles.add(TEXT, "a");
        assertThat(handles.get(TEXT, handle)).isEqualTo("a");
        fails(() -> handles.get(NUMBER, handle), "handle " + handle + " is a text; a number is needed");
        fails(() -> handles.remove(NUMBER, handle), "handle " + handle + " is a text; a number is needed");
        assertThat(handles.remove(TEXT, handle)).isEqualTo("a");
        String gone = "handle " + handle + " is not open: it was freed or never made; a text is needed";
        fails(() -> handles.get(TEXT, handle), gone);
        fails(() -> handles.remove(TEXT, handle), gone);
    }

    @Test
    void isNeverGivenTwice() {
        Set<Long> given = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            long handle = handles.add(NUMBER, i);
            assertThat(given.add(handle)).isTrue();
            handles.remove(NUMBER, handle);
        }
        long last = handles.add(NUMBER, -1);
        for (long old : given) {
            fails(() -> handles.get(NUMBER, old),
                    "handle " + old + " is not open: it was freed or never made; a number is needed");
        }
        assertThat(handles.get(NUMBER, last)).isEqualTo(-1);
    }

    @Test
    void manyAreOpenAtOnce() {
        long[] open = new long[5000];
        for (int i = 0; i < open.length; i++) {
            open[i] = handles.add(NUMBER, i);
        }
        for (int i = 0; i < open.length; i += 2) {
            assertThat(handles.remove(NUMBER, open[i])).isEqualTo(i);
        }
        for (int i = 0; i < open.length; i += 2) {
            open[i] = handles.add(NUMBER, -i);
        }
        for (int i = 0; i < open.length; i++) {
            assertThat(handles.get(NUMBER, open[i])).isEqualTo(i % 2 == 0 ? -i : i);
        }
        handles.clear();
        fails(() -> handles.get(NUMBER, open[1]),
                "handle " + open[1] + " is not open: it was freed or never made; a number is needed");
    }

    @Test
    void numbersFromNowhereAreNone() {
        for (long number : new long[]{0, 1, -1, 42, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 20}) {
            fails(() -> handles.get(TEXT, number),
                    "handle " + number + " is not open: it was freed or never made; a text is needed");
        }
    }
}
