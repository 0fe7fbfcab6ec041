package io.github.bitttt.llama.text;

import java.text.BreakIterator;
import java.util.Locale;

/** What a message or a table shows of somebody's text: its beginning, on one line, in whole characters. */
public final class Excerpt {
    private static final char CONTROL_PICTURES = '\u2400';
    private static final char DELETE_PICTURE = '\u2421';
    private static final char REPLACEMENT = '\uFFFD';

    private Excerpt() {
    }

    /** The beginning of a text.
     *
     * @param value any text, or what its {@code toString} gives
     * @param most  UTF-16 units to show, at least 1; never half of a character
     * @return that much of it, with {@code ...} if something is left out, and control characters as pictures */
    public static String of(Object value, int most) {
        if (most < 1) {
            throw new IllegalArgumentException("an excerpt has at least 1 character, got " + most);
        }
        String text = String.valueOf(value);
        boolean whole = text.length() <= most;
        String shown = whole ? text : text.substring(0, most);
        // A boundary between characters as people see them: an emoji with its skin colour, a letter with its accents.
        if (!whole) {
            BreakIterator characters = BreakIterator.getCharacterInstance(Locale.ROOT);
            characters.setText(text.substring(0, Math.min(text.length(), most + 32)));
            int end = characters.isBoundary(most) ? most : characters.preceding(most);
            shown = text.substring(0,
                    end > 0 ? end : Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most);
        }
        return visible(shown, "") + (whole ? "" : "...");
    }

    /** A text as a terminal may have it: control characters, which move its cursor or change its title, become pictures of them.
     *
     * @param text any text
     * @return the same but for control characters; line feeds and tabs stay */
    public static String forTerminal(String text) {
        return visible(text, "\n\t");
    }

    private static String visible(String text, String kept) {
        if (text.chars().noneMatch(Excerpt::isHidden)) {
            return text;
        }
        StringBuilder visible = new StringBuilder(text.length());
        text.chars().forEach(unit -> visible.append(
                isHidden(unit) && kept.indexOf(unit) < 0 ? picture((char) unit) : (char) unit));
        return visible.toString();
    }

    private static boolean isHidden(int unit) {
        return Character.isISOControl(unit) || unit == '\u2028' || unit == '\u2029';
    }

    private static char picture(char control) {
        return control < ' ' ? (char) (CONTROL_PICTURES + control) : control == 127 ? DELETE_PICTURE : REPLACEMENT;
    }
}
