package io.github.bitttt.viz;

import java.awt.Color;
import java.awt.Font;

/** Colours that people with a colour vision deficiency can tell apart (Okabe and Ito), and the fonts of all pictures. */
final class Palette {
    static final Color BLUE = new Color(0x0072B2);
    static final Color RED = new Color(0xD55E00);
    static final Color GREEN = new Color(0x009E73);
    static final Color PURPLE = new Color(0xCC79A7);
    static final Color INK = new Color(0x222222);
    static final Color RULE = new Color(0xBBBBBB);

    static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 15);
    static final Font TEXT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    static final Font SMALL = new Font(Font.SANS_SERIF, Font.PLAIN, 11);

    private Palette() {
    }

    /** Blue for -1, white for 0, orange for 1. */
    static Color diverging(double value) {
        double share = Math.clamp(value, -1, 1);
        return mix(share < 0 ? BLUE : RED, Math.abs(share));
    }

    /** White for 0, orange for 1. */
    static Color rising(double value) {
        return mix(RED, Math.clamp(value, 0, 1));
    }

    private static Color mix(Color colour, double share) {
        return new Color(channel(colour.getRed(), share), channel(colour.getGreen(), share),
                channel(colour.getBlue(), share));
    }

    private static int channel(int full, double share) {
        return (int) Math.round(255 + (full - 255) * share);
    }
}
